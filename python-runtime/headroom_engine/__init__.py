"""The engine: one MLX model, one request at a time, on a private Unix socket.

Its own loop over mlx_lm's ``load_model``, ``generate_step`` and KV caches. The stock
``mlx_lm.server`` is not used: its handler, tokenising, scheduling, prompt cache and shutdown would
all have had to be replaced, and its batching is what the kernel-panic reports point at.
"""
