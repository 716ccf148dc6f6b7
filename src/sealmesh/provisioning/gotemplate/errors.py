"""What can go wrong with a template. Standalone: these do not derive from `SealmeshError`.

Line and column count from 1; a column counts characters of the decoded template text, not bytes.
"""

__all__ = [
    "FunctionError",
    "TemplateError",
    "TemplateExecutionError",
    "TemplateLimitError",
    "TemplateSyntaxError",
    "TextTooLongError",
]


class TemplateError(Exception):
    """A template that cannot be parsed or executed.

    Args:
        message: What is wrong, without position.
        line: Line in the template text, from 1.
        column: Character in that line, from 1.
    """

    def __init__(self, message: str, *, line: int, column: int) -> None:
        super().__init__(f"{line}:{column}: {message}")
        self.message = message
        self.line = line
        self.column = column


class TemplateSyntaxError(TemplateError):
    """The text is not a template."""


class TemplateExecutionError(TemplateError):
    """The template cannot be executed with this data."""


class TemplateLimitError(TemplateExecutionError):
    """A named limit was passed: output, depth or work."""


class FunctionError(Exception):
    """Raised by a template function; the executor adds the function's name and position."""


class TextTooLongError(FunctionError):
    """A function's text passed the limit of output."""
