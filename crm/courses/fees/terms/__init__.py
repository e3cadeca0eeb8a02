"""The terms of discounts and scholarships, and how the funds behind them stand."""
