/**
 * What a long list is narrowed to.
 */
import { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';
import React, { useCallback, useSyncExternalStore } from 'react';

/** How long typing rests before the server is asked, in milliseconds. */
const TYPING_PAUSE = 80;

/** Shown at once where it changes; the list is read anew, after typing when that rests. */
export class Filter<T extends object> implements IDisposable {
  constructor(
    private readonly _first: T,
    load: () => unknown
  ) {
    this._value = _first;
    this._load = load;
    this._typing = new Debouncer(load, TYPING_PAUSE);
  }

  get value(): T {
    return this._value;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._typing.isDisposed;
  }

  /** Narrow the list now. */
  set(change: Partial<T>): void {
    this._change(change);
    this._load();
  }

  /** Narrow the list when no more is typed. */
  type(change: Partial<T>): void {
    this._change(change);
    void this._typing.invoke().catch(() => undefined);
  }

  /** Forget everything, and read nothing: what was filtered is gone. */
  clear(): void {
    this._change(this._first);
  }

  dispose(): void {
    this._typing.dispose();
    Signal.clearData(this);
  }

  private _change(change: Partial<T>): void {
    this._value = { ...this._value, ...change };
    this._changed.emit();
  }

  private _value: T;
  private readonly _load: () => unknown;
  private readonly _typing: Debouncer;
  private readonly _changed = new Signal<this, void>(this);
}

/** Show a filter in a React component. */
export function useFilter<T extends object>(filter: Filter<T>): T {
  const subscribe = useCallback(
    (listener: () => void) => {
      filter.changed.connect(listener);
      return () => void filter.changed.disconnect(listener);
    },
    [filter]
  );
  return useSyncExternalStore(subscribe, () => filter.value);
}

/** Where the words are typed. */
export function SearchBox(props: {
  readonly text: string;
  readonly label: string;
  readonly placeholder: string;
  readonly onType: (text: string) => void;
}): JSX.Element {
  const { text, label, placeholder, onType } = props;
  return (
    <input
      type="search"
      className="jp-Workbench-filter"
      aria-label={label}
      placeholder={placeholder}
      spellCheck={false}
      value={text}
      onChange={event => onType(event.target.value)}
    />
  );
}
