/**
 * What the panel Models shows, and which part of it.
 */
import { Signal, ISignal } from '@lumino/signaling';
import { useSyncExternalStore } from 'react';

import { api, ask } from '../../api/client';
import { Pages } from '../../api/pages';
import { Resource } from '../../api/resource';
import {
  IDecision,
  IModel,
  IModelDetail,
  IModelVersion,
  IReproduction,
  ITask,
  IVerification
} from '../../api/types';
import { Workbench } from '../../workbench';

const PAGE = 100;

export type Tab = 'versions' | 'decisions' | 'reproductions';

export interface IView {
  /** Which model is looked at; null for all. */
  readonly model: string | null;
  readonly tab: Tab;
  readonly q: string;
  readonly only: 'all' | 'production';
}

const HOME: IView = { model: null, tab: 'versions', q: '', only: 'all' };

/** All models, or one of them with its versions and what was decided. */
export class ModelsStore {
  constructor(private readonly _workbench: Workbench) {}

  get view(): IView {
    return this._view;
  }

  get viewChanged(): ISignal<this, void> {
    return this._viewChanged;
  }

  readonly models: Pages<IModel> = new Pages((cursor, signal) => {
    const { q, only } = this._view;
    const query = { path: this._path, q, only, cursor, limit: PAGE };
    return ask(api.GET('/models', { params: { query }, signal }));
  });

  readonly detail: Resource<IModelDetail> = new Resource(signal =>
    ask(api.GET('/models/{name}', { params: this._params, signal }))
  );

  readonly versions: Pages<IModelVersion> = new Pages((cursor, signal) => {
    const params = this._page(cursor);
    return ask(api.GET('/models/{name}/versions', { params, signal }));
  });

  readonly decisions: Pages<IDecision> = new Pages((cursor, signal) => {
    const params = this._page(cursor);
    return ask(api.GET('/models/{name}/decisions', { params, signal }));
  });

  readonly reproductions: Pages<IReproduction> = new Pages((cursor, signal) => {
    const params = this._page(cursor);
    return ask(api.GET('/models/{name}/reproductions', { params, signal }));
  });

  readonly verification: Resource<IVerification> = new Resource(signal =>
    ask(
      api.GET('/decisions/verification', {
        params: { query: { path: this._path } },
        signal
      })
    )
  );

  readonly tasks: Resource<readonly ITask[]> = new Resource(signal =>
    ask(api.GET('/tasks', { params: { query: { path: this._path } }, signal }))
  );

  /** Show something else. What stays the same isn't read again. */
  show(change: Partial<IView>): void {
    const before = this._view;
    this._view = { ...before, ...change };
    if (before.model !== this._view.model) {
      [this.versions, this.decisions, this.reproductions].forEach(one => one.clear());
      this.detail.clear();
    }
    this._viewChanged.emit();
    this.load();
  }

  /** Whether anything was read yet. */
  get isLoaded(): boolean {
    return this._isLoaded;
  }

  /** Read what is on the screen. */
  load(): void {
    this._isLoaded = true;
    void this.tasks.load();
    if (this._view.model === null) {
      void this.models.load();
      return;
    }
    void this.detail.load();
    switch (this._view.tab) {
      case 'versions':
        void this.versions.load();
        break;
      case 'decisions':
        void this.decisions.load();
        void this.verification.load();
        break;
      case 'reproductions':
        void this.reproductions.load();
        break;
    }
  }

  clear(): void {
    this._isLoaded = false;
    this._view = HOME;
    [this.models, this.versions, this.decisions, this.reproductions].forEach(one =>
      one.clear()
    );
    [this.detail, this.verification, this.tasks].forEach(one => one.clear());
    this._viewChanged.emit();
  }

  private get _path(): string {
    return this._workbench.path;
  }

  private get _params() {
    return { path: { name: this._view.model ?? '' }, query: { path: this._path } };
  }

  private _page(cursor: string) {
    const { path, query } = this._params;
    return { path, query: { ...query, cursor, limit: PAGE } };
  }

  private _isLoaded = false;
  private _view: IView = HOME;
  private readonly _viewChanged = new Signal<this, void>(this);
}

/** Which part is shown, in a React component. */
export function useView(store: ModelsStore): IView {
  return useSyncExternalStore(
    listener => {
      store.viewChanged.connect(listener);
      return () => void store.viewChanged.disconnect(listener);
    },
    () => store.view
  );
}
