/**
 * What the panel shows of the runs: which, in which order, which of them are chosen.
 */
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';
import { useCallback, useSyncExternalStore } from 'react';

import { api, ApiError, ask } from '../../api/client';
import { Pages } from '../../api/pages';
import { Resource } from '../../api/resource';
import { IRun, IRunFacets, IRunMarks, IRunPage } from '../../api/types';
import { Workbench } from '../../workbench';
import { quoted } from './language';
import { Lines } from './lines';

const PAGE = 50;
const COLUMNS_KEY = 'jupyter-workbench:runs:columns';

export type Scope = 'all' | 'branch';

export interface ISort {
  /** `start_time`, or `metrics.` and a name, or `params.` and one. */
  readonly field: string;
  readonly isDescending: boolean;
}

export interface IRunsView {
  readonly scope: Scope;
  /** What was typed, in MLflow's language. */
  readonly filter: string;
  /** Why what was typed says nothing; the list goes by what was typed before it. */
  readonly problem: string;
  readonly sort: ISort;
  /** The columns of the wide table; null for the usual ones. */
  readonly columns: readonly string[] | null;
  /** The branch whose runs these are, if they are of one. */
  readonly branch: string | null;
  /** The ids of the chosen runs, in the order of choosing. */
  readonly chosen: ReadonlySet<string>;
  /** The ids of those whose details are open. */
  readonly open: ReadonlySet<string>;
}

const AT_FIRST: IRunsView = {
  scope: 'all',
  filter: '',
  problem: '',
  sort: { field: 'start_time', isDescending: true },
  columns: null,
  branch: null,
  chosen: new Set(),
  open: new Set()
};

export class RunsModel implements IDisposable {
  constructor(readonly workbench: Workbench) {
    this.pages = new Pages((cursor, signal) => this._read(cursor, signal));
    this.facets = new Resource(signal =>
      ask(
        api.GET('/runs/facets', { params: { query: { path: workbench.path } }, signal })
      )
    );
    this.lines = new Lines(workbench);
    this.pages.changed.connect(() => void this.lines.want(this.pages.state.items));
  }

  readonly pages: Pages<IRun>;
  readonly facets: Resource<IRunFacets>;
  readonly lines: Lines;

  get view(): IRunsView {
    return this._view;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Whether the user may do more than read. */
  get mayWrite(): boolean {
    const { state } = this.workbench.project;
    return state.kind === 'ready' && state.value.role !== 'viewer';
  }

  /** Read the runs again; what they can be narrowed by comes after them. */
  async load(): Promise<void> {
    this.lines.forgetRunning();
    await this.pages.load();
    this._areFacetsStale = true;
    if (this.facets.state.kind === 'loading' && !this.facets.state.value) {
      await this.refreshFacets();
    }
  }

  /** Read what runs can be narrowed by, if they have changed since. */
  async refreshFacets(): Promise<void> {
    if (this._areFacetsStale) {
      this._areFacetsStale = false;
      await this.facets.load();
    }
  }

  /** Forget the project. */
  clear(): void {
    this.pages.clear();
    this.facets.clear();
    this.lines.clear();
    this._good = '';
    this._set({ ...AT_FIRST, columns: readColumns() });
  }

  dispose(): void {
    this._isDisposed = true;
    this.pages.dispose();
    this.facets.dispose();
    this.lines.dispose();
    Signal.clearData(this);
  }

  /** Another branch may be checked out: its runs are shown then, if those of one are. */
  followBranch(): void {
    if (this._view.scope === 'branch' && !this.pages.state.isLoading) {
      void this.pages.load();
    }
  }

  setScope(scope: Scope): void {
    this._set({ scope });
    void this.pages.load();
  }

  setFilter(filter: string): void {
    if (filter !== this._view.filter) {
      this._set({ filter });
      void this.pages.load();
    }
  }

  /** Sort by a field; by the one that it is sorted by, the other way round. */
  sortBy(field: string, isDescending?: boolean): void {
    const { sort } = this._view;
    const turned = field === sort.field ? !sort.isDescending : true;
    this._set({ sort: { field, isDescending: isDescending ?? turned } });
    void this.pages.load();
  }

  setColumns(columns: readonly string[] | null): void {
    writeColumns(columns);
    this._set({ columns });
  }

  choose(run: IRun, isChosen: boolean): void {
    const chosen = new Set(this._view.chosen);
    if (isChosen) {
      chosen.add(run.run_id);
    } else {
      chosen.delete(run.run_id);
    }
    this._set({ chosen });
  }

  chooseNone(): void {
    this._set({ chosen: new Set() });
  }

  setOpen(run: IRun, isOpen: boolean): void {
    if (this._view.open.has(run.run_id) !== isOpen) {
      const open = new Set(this._view.open);
      if (isOpen) {
        open.add(run.run_id);
      } else {
        open.delete(run.run_id);
      }
      this._set({ open });
    }
  }

  /** Pin a run, note something about it or tag it; the list is told. */
  async mark(run: IRun, marks: IRunMarks): Promise<void> {
    const body = { pinned: null, note: null, tags: null, ...marks };
    const path = { run_id: run.run_id };
    const query = { path: this.workbench.path };
    await ask(api.PATCH('/runs/{run_id}', { params: { path, query }, body }));
    this.workbench.tell('runs');
  }

  /** A filter that says nothing leaves the list as it was, and says why. */
  private async _read(cursor: string, signal: AbortSignal): Promise<IRunPage> {
    const { filter } = this._view;
    if (cursor || filter === this._good) {
      return this._ask(this._good, cursor, signal);
    }
    try {
      const page = await this._ask(filter, cursor, signal);
      this._good = filter;
      this._set({ problem: '' });
      return page;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 400) {
        throw error;
      }
      this._set({ problem: error.message });
      return this._ask(this._good, cursor, signal);
    }
  }

  private async _ask(
    filter: string,
    cursor: string,
    signal: AbortSignal
  ): Promise<IRunPage> {
    const { scope, sort } = this._view;
    const cut = sort.field.indexOf('.');
    const field =
      cut < 0
        ? sort.field
        : quoted(sort.field.slice(0, cut), sort.field.slice(cut + 1));
    const order = `${field} ${sort.isDescending ? 'DESC' : 'ASC'}`;
    const page = await ask(
      api.GET('/runs', {
        params: {
          query: {
            path: this.workbench.path,
            limit: PAGE,
            cursor,
            filter,
            order,
            scope
          }
        },
        signal
      })
    );
    if (filter === this._view.filter && this._view.problem) {
      this._set({ problem: '' });
    }
    if (page.branch !== this._view.branch) {
      this._set({ branch: page.branch });
    }
    return page;
  }

  private _set(changed: Partial<IRunsView>): void {
    this._view = { ...this._view, ...changed };
    this._changed.emit();
  }

  private _view: IRunsView = { ...AT_FIRST, columns: readColumns() };
  private _good = '';
  private _areFacetsStale = true;
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
}

/** Show what the panel shows in a React component. */
export function useView(model: RunsModel): IRunsView {
  const subscribe = useCallback(
    (listener: () => void) => {
      model.changed.connect(listener);
      return () => void model.changed.disconnect(listener);
    },
    [model]
  );
  return useSyncExternalStore(subscribe, () => model.view);
}

function readColumns(): readonly string[] | null {
  try {
    const columns: unknown = JSON.parse(localStorage.getItem(COLUMNS_KEY) ?? 'null');
    return Array.isArray(columns) ? columns.map(String) : null;
  } catch {
    return null;
  }
}

function writeColumns(columns: readonly string[] | null): void {
  try {
    localStorage.setItem(COLUMNS_KEY, JSON.stringify(columns));
  } catch {
    // A browser that keeps nothing shows the usual ones the next time.
  }
}
