/**
 * A job as it goes on, told by the server.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { IOutput } from '@jupyterlab/nbformat';
import { IDisposable } from '@lumino/disposable';

import { API_URL, ApiError, fetchAnswer, problemOf } from '../../api/client';
import { IJob } from '../../api/types';

/** A line of a job's journal. */
export interface IEntry {
  readonly event: string;
  readonly cell?: number;
  readonly at?: number;
  readonly status?: string;
  readonly error?: string;
  readonly output?: IOutput;
  readonly display_id?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface IListener {
  readonly onStart: () => void;
  readonly onJob: (job: IJob) => void;
  readonly onEntries: (entries: readonly IEntry[]) => void;
  readonly onDone: () => void;
  readonly onAway: (error: ApiError) => void;
}

const WAIT = 2000;

/** Listens until the job has ended; a server that goes away is asked again, from the start. */
export class JobStream implements IDisposable {
  constructor(
    private readonly _id: string,
    private readonly _path: string,
    private readonly _listener: IListener
  ) {
    void this._listen();
  }

  get isDisposed(): boolean {
    return this._gone.signal.aborted;
  }

  dispose(): void {
    this._gone.abort();
  }

  private async _listen(): Promise<void> {
    while (!this.isDisposed) {
      try {
        if (await this._hear()) {
          this._listener.onDone();
          return;
        }
      } catch (reason) {
        if (this.isDisposed) {
          return;
        }
        const error =
          reason instanceof ApiError ? reason : new ApiError(`${reason}`, 0, '');
        this._listener.onAway(error);
        if (error.status >= 400 && error.status < 500) {
          return;
        }
      }
      await new Promise(resolve => setTimeout(resolve, WAIT));
    }
  }

  /** Hear what is said; true if it was said to the end. */
  private async _hear(): Promise<boolean> {
    const url = URLExt.join(API_URL, 'jobs', encodeURIComponent(this._id), 'events');
    const query = URLExt.objectToQueryString({ path: this._path });
    const response = await fetchAnswer(url + query, { signal: this._gone.signal });
    if (!response.ok || !response.body) {
      throw problemOf(response, await response.json().catch(() => null));
    }
    this._listener.onStart();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done || this.isDisposed) {
        return false;
      }
      const said = (text + value).split('\n\n');
      text = said.pop()!;
      for (const one of said) {
        if (this._take(one)) {
          return true;
        }
      }
    }
  }

  private _take(said: string): boolean {
    const [, event, data] = /^event: (\w+)\ndata: (.*)$/s.exec(said) ?? [];
    if (event === 'job') {
      this._listener.onJob(JSON.parse(data) as IJob);
    } else if (event === 'log') {
      this._listener.onEntries(JSON.parse(data) as IEntry[]);
    }
    return event === 'done';
  }

  private readonly _gone = new AbortController();
}
