"""How Headroom's demo model is made: its texts, its training and its evaluation."""
