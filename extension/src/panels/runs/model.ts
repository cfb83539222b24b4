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
import { atFirst, IRunsView, Scope, writeColumns } from './view';

const PAGE = 50;

/** How many the server gives at once, and how many are read again when something has changed. */
const MOST_AT_ONCE = 500;
const MOST_AGAIN = 2000;

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
    return this.workbench.mayWrite;
  }

  /** Read the runs again, as many as are shown; what they can be narrowed by comes after them. */
  async load(): Promise<void> {
    this.lines.forgetRunning();
    this._again = Math.min(this.pages.state.items.length, MOST_AGAIN);
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
    this._set(atFirst());
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

  /** Read a page; the first as long as it has to be so that nobody is thrown back. */
  private async _read(cursor: string, signal: AbortSignal): Promise<IRunPage> {
    const wanted = this._again;
    this._again = 0;
    let whole = await this._readPage(cursor, signal);
    while (whole.next !== null && whole.items.length < wanted) {
      const more = await this._ask(this._good, whole.next, signal, MOST_AT_ONCE);
      whole = { ...more, items: [...whole.items, ...more.items] };
    }
    return whole;
  }

  /** A filter that says nothing leaves the list as it was, and says why. */
  private async _readPage(cursor: string, signal: AbortSignal): Promise<IRunPage> {
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
    signal: AbortSignal,
    limit = PAGE
  ): Promise<IRunPage> {
    const { scope, sort } = this._view;
    const cut = sort.field.indexOf('.');
    const field =
      cut < 0
        ? sort.field
        : quoted(sort.field.slice(0, cut), sort.field.slice(cut + 1));
    const order = `${field} ${sort.isDescending ? 'DESC' : 'ASC'}`;
    const { path } = this.workbench;
    const query = { path, limit, cursor, filter, order, scope };
    const page = await ask(api.GET('/runs', { params: { query }, signal }));
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

  private _view = atFirst();
  private _good = '';
  private _again = 0;
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
