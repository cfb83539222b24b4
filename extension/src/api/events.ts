/**
 * What changes in the project, as the server tells it.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { API_URL, fetchAnswer, problemOf } from './client';

export const TOPICS = [
  'branch',
  'runs',
  'jobs',
  'progress',
  'models',
  'features',
  'data',
  'monitors',
  'tasks'
] as const;

export type Topic = (typeof TOPICS)[number];

/** How long to wait before the server is asked again, in milliseconds: at first, and at most. */
const [FIRST_WAIT, LONGEST_WAIT] = [1000, 30_000];

/**
 * A stream of what changes in one folder's project. A server that goes away is asked again, ever
 * more slowly; when it is back everything counts as changed, for nobody knows what was missed.
 */
export class Events implements IDisposable {
  constructor(private readonly _path: string) {
    void this._listen();
  }

  get changed(): ISignal<this, readonly Topic[]> {
    return this._changed;
  }

  /** Whether the server was there when it was last asked. */
  get isConnected(): boolean {
    return this._isConnected;
  }

  get connectionChanged(): ISignal<this, boolean> {
    return this._connectionChanged;
  }

  get isDisposed(): boolean {
    return this._gone.signal.aborted;
  }

  dispose(): void {
    this._gone.abort();
    Signal.clearData(this);
  }

  private async _listen(): Promise<void> {
    let wait = FIRST_WAIT;
    while (!this.isDisposed) {
      try {
        await this._hear(() => {
          wait = FIRST_WAIT;
        });
      } catch (error) {
        if (this.isDisposed) {
          return;
        }
        console.debug('Workbench: no events', error);
      }
      this._connect(false);
      await new Promise(resolve => setTimeout(resolve, wait));
      wait = Math.min(2 * wait, LONGEST_WAIT);
    }
  }

  private async _hear(heard: () => void): Promise<void> {
    const url = URLExt.join(API_URL, 'events');
    const query = URLExt.objectToQueryString({ path: this._path });
    const { signal } = this._gone;
    const response = await fetchAnswer(url + query, { signal });
    if (!response.ok || !response.body) {
      throw problemOf(response, null);
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      heard();
      this._connect(true);
      const said = (text + value).split('\n\n');
      text = said.pop()!;
      said.forEach(one => this._take(one));
    }
  }

  private _take(event: string): void {
    const data = /^data: (.*)$/m.exec(event)?.[1];
    if (data) {
      this._changed.emit(JSON.parse(data) as Topic[]);
    }
  }

  private _connect(isConnected: boolean): void {
    if (this._isConnected === isConnected || this.isDisposed) {
      return;
    }
    this._isConnected = isConnected;
    this._connectionChanged.emit(isConnected);
    if (isConnected && this._wasAway) {
      this._changed.emit(TOPICS);
    }
    this._wasAway = !isConnected;
  }

  private _isConnected = true; // until it is known better
  private _wasAway = false;
  private readonly _gone = new AbortController();
  private readonly _changed = new Signal<this, readonly Topic[]>(this);
  private readonly _connectionChanged = new Signal<this, boolean>(this);
}
