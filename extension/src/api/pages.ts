/**
 * A long list of the server's, read page by page as it is scrolled.
 */
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';
import { useCallback, useSyncExternalStore } from 'react';

import { ApiError } from './client';

/** One page, as the server gives it. */
export interface IPage<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** What of the list is here. After an error `items` holds what had come before it. */
export interface IPagesState<T> {
  readonly items: readonly T[];
  /** Null while the first page is on its way. */
  readonly hasMore: boolean | null;
  readonly isLoading: boolean;
  readonly error: ApiError | null;
}

const EMPTY = { items: [], hasMore: null, isLoading: false, error: null } as const;

export class Pages<T> implements IDisposable {
  constructor(
    private readonly _read: (cursor: string, signal: AbortSignal) => Promise<IPage<T>>
  ) {}

  get state(): IPagesState<T> {
    return this._state;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Read the first page again. What was shown stays until it is there. */
  load(): Promise<void> {
    return this._page('', true);
  }

  /** Read the page after those that are here, if there is one and none is on its way. */
  async more(): Promise<void> {
    if (this._next !== null && !this._state.isLoading) {
      await this._page(this._next, false);
    }
  }

  /** Forget what was read. */
  clear(): void {
    this._reading?.abort();
    this._next = null;
    this._set(EMPTY);
  }

  dispose(): void {
    this._isDisposed = true;
    this._reading?.abort();
    Signal.clearData(this);
  }

  private async _page(cursor: string, isFirst: boolean): Promise<void> {
    if (this._isDisposed) {
      return;
    }
    this._reading?.abort();
    const reading = (this._reading = new AbortController());
    const before = this._state;
    this._set({ ...before, isLoading: true, error: null });
    let state: IPagesState<T>;
    try {
      const page = await this._read(cursor, reading.signal);
      if (reading.signal.aborted) {
        return;
      }
      this._next = page.next;
      const items = isFirst ? page.items : [...before.items, ...page.items];
      state = { items, hasMore: page.next !== null, isLoading: false, error: null };
    } catch (reason) {
      const error =
        reason instanceof ApiError ? reason : new ApiError(`${reason}`, 0, '');
      state = { ...before, isLoading: false, error };
    }
    if (!reading.signal.aborted) {
      this._set(state);
    }
  }

  private _set(state: IPagesState<T>): void {
    this._state = state;
    this._changed.emit();
  }

  private _state: IPagesState<T> = EMPTY;
  private _next: string | null = null;
  private _reading: AbortController | null = null;
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
}

/** Show a list in a React component. */
export function usePages<T>(pages: Pages<T>): IPagesState<T> {
  const subscribe = useCallback(
    (listener: () => void) => {
      pages.changed.connect(listener);
      return () => void pages.changed.disconnect(listener);
    },
    [pages]
  );
  return useSyncExternalStore(subscribe, () => pages.state);
}
