"""The plugin SDK, and the engine that runs plugins."""
