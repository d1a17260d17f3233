"""Everything that touches the world: settings, clock, scheduler, platforms, Slack, command line and web."""
