"""Whether Likewatch works: health, metrics, outages, the watchdog and ``likewatch doctor``."""
