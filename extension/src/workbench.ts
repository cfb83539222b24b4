/**
 * The project that the user is in, as one object that the panels share.
 */
import { Token } from '@lumino/coreutils';
import { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { ISignal, Signal } from '@lumino/signaling';

import {
  IBranch,
  IFeature,
  IModel,
  IProject,
  IReport,
  IRun,
  ISource,
  request
} from './api';
import { Resource } from './resource';

/** How long typing in the filter box rests before the server is asked, in milliseconds. */
const TYPING_PAUSE = 200;

/** As many as a list to choose from can hold, and the server gives. */
const MOST_FEATURES = '1000';

/** The project of the folder that the user looks at. Nothing is read before `refresh`. */
export class Workbench implements IDisposable {
  readonly project: Resource<IProject>;
  readonly branch: Resource<IBranch>;
  readonly runs: Resource<readonly IRun[]>;
  readonly models: Resource<readonly IModel[]>;
  readonly features: Resource<readonly IFeature[]>;
  readonly sources: Resource<readonly ISource[]>;

  constructor() {
    const at = () => ({ path: this._path });
    this.project = new Resource(s => request('project', at(), s));
    this.branch = new Resource(s => request('branch', at(), s));
    this.runs = new Resource(s => request('runs', at(), s));
    this.models = new Resource(s => request('models', at(), s));
    this.features = new Resource(s =>
      request('features', { ...at(), q: this._filter }, s)
    );
    this.sources = new Resource(s => request('sources', at(), s));
    this._typing = new Debouncer(() => this.features.load(), TYPING_PAUSE);
  }

  /** The folder, from the root of the Jupyter server. */
  get path(): string {
    return this._path;
  }
  set path(path: string) {
    if (path !== this._path) {
      this._path = path;
      this._pathChanged.emit();
    }
  }

  get pathChanged(): ISignal<this, void> {
    return this._pathChanged;
  }

  /** The words that a listed feature has. */
  get filter(): string {
    return this._filter;
  }
  set filter(filter: string) {
    if (filter !== this._filter) {
      this._filter = filter;
      void this._typing.invoke().catch(() => undefined); // rejected when disposed
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Read everything again, the project first: without one there is nothing else to ask. */
  async refresh(): Promise<void> {
    await this.project.load();
    const { state } = this.project;
    if (state.kind !== 'ready') {
      return;
    }
    if (state.value.root !== this._root) {
      this._root = state.value.root;
      this._sections.forEach(section => section.clear());
    }
    await Promise.all(this._sections.map(section => section.load()));
  }

  /** List all features, whatever the filter box says. */
  allFeatures(): Promise<readonly IFeature[]> {
    return request('features', { path: this._path, limit: MOST_FEATURES });
  }

  /** Describe the columns of a source; it is read for that. */
  report(name: string): Promise<IReport> {
    return request('report', { path: this._path, q: name });
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._typing.dispose();
    [this.project, ...this._sections].forEach(resource => resource.dispose());
    Signal.clearData(this);
  }

  private get _sections(): Resource<unknown>[] {
    return [this.branch, this.runs, this.models, this.sources, this.features];
  }

  private _path = '';
  private _filter = '';
  private _root: string | null = null;
  private _isDisposed = false;
  private readonly _typing: Debouncer;
  private readonly _pathChanged = new Signal<this, void>(this);
}

export const IWorkbench = new Token<Workbench>(
  'jupyter-workbench:IWorkbench',
  'The Workbench project of the folder that the user is in.'
);
