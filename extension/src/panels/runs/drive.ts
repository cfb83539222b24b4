/**
 * Executed notebooks as files that can be opened and not be written: a run's record stays as it is.
 */
import { Contents, ServerConnection } from '@jupyterlab/services';
import { ISignal, Signal } from '@lumino/signaling';

import { api, ask } from '../../api/client';
import { IRun } from '../../api/types';
import { TAGS } from './words';

const NAME = 'WorkbenchRun';

/** The path under which a run's notebook can be opened; `folder` is one of its project. */
export function executedPath(folder: string, run: IRun): string {
  const notebook = run.tags[TAGS.notebook] ?? '';
  const stem = /([^/]+)\.ipynb$/.exec(notebook)?.[1] ?? 'executed';
  const file = `${stem}-${run.run_id.slice(0, 8)}.ipynb`;
  return `${NAME}:${folder ? `${folder}/` : ''}${run.run_id}/${file}`;
}

export class RunDrive implements Contents.IDrive {
  readonly name = NAME;
  readonly serverSettings = ServerConnection.makeSettings();

  get fileChanged(): ISignal<this, Contents.IChangedArgs> {
    return this._fileChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  async get(
    localPath: string,
    options?: Contents.IFetchOptions
  ): Promise<Contents.IModel> {
    const parts = localPath.split('/');
    const name = parts.pop() ?? '';
    const path = { run_id: parts.pop() ?? '' };
    const query = { path: parts.join('/') };
    const params = { path, query };
    const found = await ask(api.GET('/runs/{run_id}/notebook', { params }));
    const isWanted = options?.content !== false;
    const moment = new Date(0).toISOString();
    return {
      name,
      path: localPath,
      type: 'notebook',
      mimetype: 'application/x-ipynb+json',
      format: isWanted ? 'json' : null,
      content: isWanted ? found.content : null,
      writable: false,
      created: moment,
      last_modified: moment
    } as Contents.IModel;
  }

  getDownloadUrl(): Promise<string> {
    return this._refuse();
  }
  newUntitled(): Promise<Contents.IModel> {
    return this._refuse();
  }
  delete(): Promise<void> {
    return this._refuse();
  }
  rename(): Promise<Contents.IModel> {
    return this._refuse();
  }
  save(): Promise<Contents.IModel> {
    return this._refuse();
  }
  copy(): Promise<Contents.IModel> {
    return this._refuse();
  }
  createCheckpoint(): Promise<Contents.ICheckpointModel> {
    return this._refuse();
  }
  listCheckpoints(): Promise<Contents.ICheckpointModel[]> {
    return Promise.resolve([]);
  }
  restoreCheckpoint(): Promise<void> {
    return this._refuse();
  }
  deleteCheckpoint(): Promise<void> {
    return this._refuse();
  }

  private _refuse(): Promise<never> {
    return Promise.reject(
      new Error('A run’s notebook is its record: it can only be read.')
    );
  }

  private _isDisposed = false;
  private readonly _fileChanged = new Signal<this, Contents.IChangedArgs>(this);
}
