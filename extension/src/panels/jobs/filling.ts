/**
 * A form while it is filled in: what was typed, and what the server says of it.
 */
import { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import { api, ApiError, ask } from '../../api/client';
import { IChecked, IJobForm } from '../../api/types';
import { useSeen } from './seen';

const PAUSE = 250;

/** What is folded away; an empty text leaves a limit out. */
export interface IOptions {
  readonly label: string;
  readonly wall: string;
  readonly cell: string;
  readonly memory: string;
  readonly threads: string;
  readonly retries: string;
  readonly priority: string;
  readonly cache: boolean;
  readonly track: boolean;
}

export const USUAL: IOptions = {
  label: '',
  wall: '',
  cell: '',
  memory: '',
  threads: '',
  retries: '',
  priority: '',
  cache: true,
  track: true
};

export interface IFilled {
  /** What was typed, by parameter; what isn't there has the notebook's default. */
  readonly values: Readonly<Record<string, string>>;
  /** Lists of values of the parameters that vary. */
  readonly grid: Readonly<Record<string, string>>;
  readonly options: IOptions;
  readonly checked: IChecked | null;
  readonly isChecking: boolean;
  readonly isSending: boolean;
  readonly error: ApiError | null;
}

/** Checks what was typed after a short pause; the newest check counts. */
export class Filling implements IDisposable {
  constructor(
    private readonly _path: string,
    private readonly _form: IJobForm,
    given: Readonly<Record<string, string>>
  ) {
    const known = new Set(_form.fields.map(({ parameter }) => parameter.name));
    const values = Object.entries(given).filter(([name]) => known.has(name));
    this._state = {
      values: Object.fromEntries(values),
      grid: {},
      options: USUAL,
      checked: null,
      isChecking: true,
      isSending: false,
      error: null
    };
    void this._check();
  }

  get form(): IJobForm {
    return this._form;
  }

  get state(): IFilled {
    return this._state;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._checking?.abort();
    this._later.dispose();
    Signal.clearData(this);
  }

  /** Take what was typed; the default's own text, and none, mean the default. */
  type(name: string, text: string): void {
    const { [name]: _, ...others } = this._state.values;
    const field = this._form.fields.find(each => each.parameter.name === name);
    const isDefault = field?.parameter.secret ? text === '' : text === field?.text;
    this._change({ values: isDefault ? others : { ...others, [name]: text } });
  }

  /** Take a list of values for a parameter; null lets it have one again. */
  vary(name: string, list: string | null): void {
    const { [name]: _, ...grid } = this._state.grid;
    const { [name]: __, ...values } = this._state.values;
    this._change(
      list === null ? { grid } : { values, grid: { ...grid, [name]: list } }
    );
  }

  choose(options: Partial<IOptions>): void {
    this._set({ options: { ...this._state.options, ...options } });
  }

  /** Ask for the jobs; resolves to what was asked for, or null if it was refused. */
  async send(): Promise<{ ids: readonly string[]; cached: number } | null> {
    this._set({ isSending: true, error: null });
    const { values, grid, options } = this._state;
    try {
      const sent = await ask(
        api.POST('/jobs', {
          params: { query: { path: this._path } },
          body: {
            notebook: this._form.notebook,
            values,
            grid,
            label: options.label,
            limits: {
              wall_seconds: number(options.wall),
              cell_seconds: number(options.cell),
              memory_mb: number(options.memory),
              threads: number(options.threads)
            },
            retries: number(options.retries),
            priority: number(options.priority) ?? 0,
            cache: options.cache,
            track: options.track
          }
        })
      );
      this._set({ isSending: false });
      return sent;
    } catch (error) {
      this._set({ isSending: false, error: error as ApiError });
      void this._check();
      return null;
    }
  }

  private _change(change: Partial<IFilled>): void {
    this._set({ ...change, isChecking: true, error: null });
    void this._later.invoke().catch(() => undefined); // it is called off when the form is closed
  }

  private async _check(): Promise<void> {
    this._checking?.abort();
    const checking = (this._checking = new AbortController());
    const { values, grid } = this._state;
    try {
      const checked = await ask(
        api.POST('/job-form/check', {
          params: { query: { path: this._path } },
          body: { notebook: this._form.notebook, values, grid },
          signal: checking.signal
        })
      );
      this._set({ checked, isChecking: false });
    } catch (error) {
      if (!checking.signal.aborted) {
        this._set({ isChecking: false, error: error as ApiError });
      }
    }
  }

  private _set(change: Partial<IFilled>): void {
    if (!this._isDisposed) {
      this._state = { ...this._state, ...change };
      this._changed.emit();
    }
  }

  private _state: IFilled;
  private _isDisposed = false;
  private _checking: AbortController | null = null;
  private readonly _later = new Debouncer(() => this._check(), PAUSE);
  private readonly _changed = new Signal<this, void>(this);
}

/** Show a form as it is filled in. */
export function useFilled(filling: Filling): IFilled {
  return useSeen(filling, () => filling.state);
}

function number(text: string): number | null {
  return text.trim() ? Number(text) : null;
}
