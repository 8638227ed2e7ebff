"""The customer at the centre: one record on which every module hangs."""
