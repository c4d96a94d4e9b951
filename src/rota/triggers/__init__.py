"""When schedules tick: frozen values, each a pure function of time."""
