"""Where attempts at jobs are carried out: threads of this process, or a Dask cluster.

An executor knows nothing of batches, retries or caches. It is given the id of a recorded job and
gives back the job as that attempt left it; everything else it reads from the records.
"""

from workbench.jobs.executors.local import LocalExecutor
from workbench.jobs.executors.protocol import Executor

__all__ = ["Executor", "LocalExecutor"]
