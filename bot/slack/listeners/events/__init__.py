"""Events that Slack sends by itself. Each file declares one ``EventListener``."""
