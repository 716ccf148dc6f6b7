"""One command per file, each a frozen dataclass and a pure `decide(command, state, context)`.

Deciding checks the phase, the caller and the content on the state that the change is then made to; the
change names the records it rests on. Nothing has an effect before the change is committed.
"""
