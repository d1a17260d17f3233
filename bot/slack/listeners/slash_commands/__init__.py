"""Slash commands. Each file declares one ``SlashCommandListener``; their verbs are in ``bot/slack/commands/``."""
