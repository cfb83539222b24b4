/**
 * What is known of one job while it is looked at: how it stands, its cells and their outputs.
 */
import { IOutput } from '@jupyterlab/nbformat';
import { OutputAreaModel } from '@jupyterlab/outputarea';
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { api, ApiError, ask } from '../../api/client';
import { Resource } from '../../api/resource';
import { IJob, IJobDetails } from '../../api/types';
import { Workbench } from '../../workbench';
import { useSeen } from './seen';
import { isOpen } from './states';
import { IEntry, JobStream } from './stream';

/** A notebook that prints without end shall not fill the browser. */
const MOST_OUTPUTS = 500;
const MOST_TEXT = 200_000;

/** How a cell goes on. */
export interface ICellProgress {
  readonly state: string;
  readonly began: number | null;
  readonly ended: number | null;
  readonly error: string | null;
  /** Null as long as it has put nothing out. */
  readonly outputs: OutputAreaModel | null;
  /** What is no longer shown, because there is so much of it. */
  readonly isCut: boolean;
}

const NOT_RUN: ICellProgress = {
  state: 'pending',
  began: null,
  ended: null,
  error: null,
  outputs: null,
  isCut: false
};

interface ISeen {
  readonly job: IJob | null;
  readonly cells: ReadonlyMap<number, ICellProgress>;
  readonly away: ApiError | null;
}

const NOTHING: ISeen = { job: null, cells: new Map(), away: null };

/** Follows one job from its first cell, also one that ended long ago. */
export class JobProgress implements IDisposable {
  constructor(
    private readonly _workbench: Workbench,
    readonly id: string
  ) {
    this._path = _workbench.path;
    this._workbench.changed.connect(this._onChanged, this);
    void this.details.load();
    this._follow();
  }

  readonly details: Resource<IJobDetails> = new Resource(signal =>
    ask(
      api.GET('/jobs/{id}', {
        params: { path: { id: this.id }, query: { path: this._path } },
        signal
      })
    )
  );

  get seen(): ISeen {
    return this._seen;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._stream?.dispose();
      this._forget();
      this.details.dispose();
      Signal.clearData(this);
    }
  }

  private _follow(): void {
    this._stream?.dispose();
    this._stream = new JobStream(this.id, this._path, {
      onStart: () => this._restart(),
      onJob: job => this._onJob(job),
      onEntries: entries => this._onEntries(entries),
      onDone: () => void this.details.load(),
      onAway: away => this._set({ away })
    });
  }

  private _restart(): void {
    this._forget();
    this._set({ cells: new Map(), away: null });
  }

  private _onJob(job: IJob): void {
    const before = this._seen.job;
    if (before && before.attempt !== job.attempt) {
      this._restart();
    }
    this._set({ job });
    if (!before || before.attempt !== job.attempt || before.state !== job.state) {
      void this.details.load();
    }
  }

  /** Somebody tries again a job that had ended. */
  private async _onChanged(_: Workbench, topics: readonly string[]): Promise<void> {
    if (topics.includes('jobs') && this._seen.job && !isOpen(this._seen.job.state)) {
      await this.details.load();
      const { state } = this.details;
      if (state.kind === 'ready' && isOpen(state.value.state)) {
        this._follow();
      }
    }
  }

  private _onEntries(entries: readonly IEntry[]): void {
    const cells = new Map(this._seen.cells);
    entries.forEach(entry => this._apply(cells, entry));
    this._set({ cells });
    const { state } = this.details;
    if (state.kind === 'ready' && !state.value.listing.length) {
      void this.details.load();
    }
  }

  private _apply(cells: Map<number, ICellProgress>, entry: IEntry): void {
    if (entry.event === 'begin') {
      cells.clear();
      this._forget();
    } else if (entry.event === 'update') {
      this._update(cells, entry);
    }
    if (entry.cell === undefined) {
      return;
    }
    const cell = cells.get(entry.cell) ?? NOT_RUN;
    switch (entry.event) {
      case 'start':
        cells.set(entry.cell, { ...cell, state: 'running', began: entry.at ?? null });
        break;
      case 'end':
        cells.set(entry.cell, {
          ...cell,
          state: entry.status ?? 'completed',
          ended: entry.at ?? null,
          error: entry.error ?? null
        });
        break;
      case 'clear':
        cell.outputs?.clear();
        break;
      case 'output':
        cells.set(entry.cell, this._put(entry.cell, cell, entry));
        break;
    }
  }

  private _put(number: number, cell: ICellProgress, entry: IEntry): ICellProgress {
    const outputs = cell.outputs ?? new OutputAreaModel({ trusted: false });
    if (!cell.outputs) {
      this._models.push(outputs);
    }
    const { output, isCut } = shortened(entry.output!);
    if (outputs.length >= MOST_OUTPUTS) {
      return { ...cell, isCut: true };
    }
    const position = outputs.add(output) - 1;
    if (entry.display_id) {
      const shown = this._displays.get(entry.display_id) ?? [];
      this._displays.set(entry.display_id, [...shown, [number, position]]);
    }
    return { ...cell, outputs, isCut: cell.isCut || isCut };
  }

  private _update(cells: Map<number, ICellProgress>, entry: IEntry): void {
    for (const [number, position] of this._displays.get(entry.display_id ?? '') ?? []) {
      const outputs = cells.get(number)?.outputs;
      if (outputs && position < outputs.length) {
        const output = outputs.get(position).toJSON();
        const { data, metadata } = entry;
        outputs.set(position, { ...output, data, metadata } as IOutput);
      }
    }
  }

  private _forget(): void {
    this._models.forEach(model => model.dispose());
    this._models = [];
    this._displays.clear();
  }

  private _set(seen: Partial<ISeen>): void {
    if (!this._isDisposed) {
      this._seen = { ...this._seen, ...seen };
      this._changed.emit();
    }
  }

  private readonly _path: string;
  private _seen = NOTHING;
  private _stream: JobStream | null = null;
  private _models: OutputAreaModel[] = [];
  private _isDisposed = false;
  private readonly _displays = new Map<
    string,
    readonly (readonly [number, number])[]
  >();
  private readonly _changed = new Signal<this, void>(this);
}

/** Keep the end of a long text: that is where one looks. */
function shortened(output: IOutput): { output: IOutput; isCut: boolean } {
  if (output.output_type === 'stream' && typeof output.text === 'string') {
    if (output.text.length > MOST_TEXT) {
      return {
        output: { ...output, text: output.text.slice(-MOST_TEXT) },
        isCut: true
      };
    }
  }
  return { output, isCut: false };
}

/** Show a job's progress in a React component. */
export function useProgress(progress: JobProgress): ISeen {
  return useSeen(progress, () => progress.seen);
}
