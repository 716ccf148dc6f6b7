"""Who may call whom: rules, decision, explanation."""
