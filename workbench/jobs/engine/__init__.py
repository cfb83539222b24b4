"""Executing a notebook so that its record is true, whatever happens to it.

papermill runs it, with the engine in `execution`: the client talks to the kernel, and everything
that comes out is an event. Events are redacted, appended to a journal and applied to the notebook
by one `Transcript`; replaying the journal of a job that was killed applies the same events in the
same way, so it gives the notebook that the job would have left.

Nothing heavy is imported here: reading a journal needs neither papermill nor a kernel.
"""
