/**
 * The project that the user is in, as one object that the panels share.
 */
import { Token } from '@lumino/coreutils';
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import { api, ask } from './api/client';
import { Events, Topic, TOPICS } from './api/events';
import { Resource } from './api/resource';
import { IProject } from './api/types';

/** The project of the folder that the user looks at. Nothing is read before `refresh`. */
export class Workbench implements IDisposable {
  readonly project: Resource<IProject> = new Resource(signal =>
    ask(api.GET('/project', { params: { query: { path: this._path } }, signal }))
  );

  /** The folder, from the root of the Jupyter server. It is in every request: `{ path }`. */
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

  /** What has changed: by somebody else, or by what was just done here. */
  get changed(): ISignal<this, readonly Topic[]> {
    return this._changed;
  }

  /** The user is in another project; what was read belongs to the one before. */
  get projectChanged(): ISignal<this, void> {
    return this._projectChanged;
  }

  /** Whether the server's events arrive. */
  get isConnected(): boolean {
    return this._events?.isConnected ?? false;
  }

  get connectionChanged(): ISignal<this, boolean> {
    return this._connectionChanged;
  }

  /** Whether the user may do more than read, as far as is known: the server asks for itself. */
  get mayWrite(): boolean {
    const { state } = this.project;
    return state.kind === 'error' || state.value?.role !== 'viewer';
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Read the project of this folder, unless that was asked for already. */
  async arrive(): Promise<void> {
    if (this._asked !== this._path || this.project.state.kind === 'error') {
      await this.refresh();
    }
  }

  /** Read everything again, the project first: without one there is nothing else to ask. */
  async refresh(): Promise<void> {
    this._asked = this._path;
    await this.project.load();
    const { state } = this.project;
    if (state.kind === 'loading') {
      return; // called off by a newer refresh, which goes on
    }
    if (state.kind === 'error') {
      if (state.error.status !== 0) {
        this._follow(null); // a server that is away is listened for until it is back
      }
      return;
    }
    this._follow(state.value.root);
    this._changed.emit(TOPICS);
  }

  /** Say that something was done here which the panels of these topics show. */
  tell(...topics: Topic[]): void {
    this._changed.emit(topics);
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._events?.dispose();
    this.project.dispose();
    Signal.clearData(this);
  }

  /** Listen to the project in this root folder, and to no other. */
  private _follow(root: string | null): void {
    if (root === this._root) {
      return;
    }
    this._root = root;
    this._events?.dispose();
    this._events = root === null ? null : new Events(this._path);
    this._events?.changed.connect((_, topics) => this._changed.emit(topics));
    this._events?.connectionChanged.connect((_, is) => {
      this._connectionChanged.emit(is);
      if (is && this.project.state.kind === 'error') {
        void this.refresh();
      }
    });
    this._projectChanged.emit();
  }

  private _path = '';
  private _asked: string | null = null;
  private _root: string | null = null;
  private _events: Events | null = null;
  private _isDisposed = false;
  private readonly _pathChanged = new Signal<this, void>(this);
  private readonly _projectChanged = new Signal<this, void>(this);
  private readonly _changed = new Signal<this, readonly Topic[]>(this);
  private readonly _connectionChanged = new Signal<this, boolean>(this);
}

export const IWorkbench = new Token<Workbench>(
  'jupyter-workbench:IWorkbench',
  'The Workbench project of the folder that the user is in.'
);
