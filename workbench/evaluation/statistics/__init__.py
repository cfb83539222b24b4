"""The metrics' formulas, each as a function of many weightings of the rows at once.

A *statistic* is made of labels and predictions once and then maps weights of shape (resamples,
rows) to values of shape (resamples,). There are two kinds: those that are made of sums over rows
(a matrix product), and those that depend on the order of the predictions (running sums over the
rows sorted once). With every weight 1 each is what scikit-learn gives; where scikit-learn raises
or warns because a class doesn't occur, the value is NaN.
"""
