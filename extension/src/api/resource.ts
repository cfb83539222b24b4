/**
 * Something that the server knows, as the sidebar sees it: on its way, here, or not to be had.
 */
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';
import { useCallback, useSyncExternalStore } from 'react';

import { ApiError } from './client';

/** A closed set. While `loading`, `value` is what was shown before and stays on the screen. */
export type State<T> =
  | { readonly kind: 'loading'; readonly value?: T }
  | { readonly kind: 'ready'; readonly value: T }
  | { readonly kind: 'error'; readonly error: ApiError };

/** Reads a value again and again; the newest reading counts, an older one is called off. */
export class Resource<T> implements IDisposable {
  constructor(private readonly _read: (signal: AbortSignal) => Promise<T>) {}

  get state(): State<T> {
    return this._state;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Read again. Resolves when this reading has ended, however it did. */
  async load(): Promise<void> {
    if (this._isDisposed) {
      return;
    }
    this._reading?.abort();
    const reading = (this._reading = new AbortController());
    this._set({
      kind: 'loading',
      value: this._state.kind === 'error' ? undefined : this._state.value
    });
    let state: State<T>;
    try {
      state = { kind: 'ready', value: await this._read(reading.signal) };
    } catch (error) {
      state = {
        kind: 'error',
        error: error instanceof ApiError ? error : new ApiError(`${error}`, 0, '')
      };
    }
    if (!reading.signal.aborted) {
      this._set(state);
    }
  }

  /** Forget what was read. */
  clear(): void {
    this._reading?.abort();
    this._set({ kind: 'loading' });
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._reading?.abort();
    Signal.clearData(this);
  }

  private _set(state: State<T>): void {
    this._state = state;
    this._changed.emit();
  }

  private _state: State<T> = { kind: 'loading' };
  private _reading: AbortController | null = null;
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
}

/** Show a resource in a React component. */
export function useResource<T>(resource: Resource<T>): State<T> {
  const subscribe = useCallback(
    (listener: () => void) => {
      resource.changed.connect(listener);
      return () => {
        resource.changed.disconnect(listener);
      };
    },
    [resource]
  );
  return useSyncExternalStore(subscribe, () => resource.state);
}
