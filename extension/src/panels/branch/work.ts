/**
 * What can be done with work that isn't committed.
 */
import { Notification } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';

import { api, ask } from '../../api/client';
import { IChangedFile } from '../../api/types';
import { READING_TIME } from '../../ui/saying';
import { whyNot } from '../../ui/standing';
import { Workbench } from '../../workbench';
import { attempt } from './attempt';
import { askSure } from './dialogs';
import { OpenDocuments } from './documents';

/** How long a message stays, in milliseconds. */
/** Each asks what has to be asked, does it, and brings what is open up to date. */
export class WorkActions {
  constructor(
    protected readonly _workbench: Workbench,
    protected readonly _open: OpenDocuments,
    protected readonly _trans: TranslationBundle
  ) {}

  /** Why the user may not change anything; undefined if they may. */
  get whyNot(): string | undefined {
    return whyNot(this._workbench, this._trans);
  }

  /** Whether the user may change anything here. */
  get mayWrite(): boolean {
    return this._workbench.mayWrite;
  }

  /** Commit files; resolves to whether that was done. */
  async commit(files: readonly IChangedFile[], message: string): Promise<boolean> {
    const trans = this._trans;
    const isChosen = (open: string): boolean =>
      files.some(({ path }) =>
        path.endsWith('/') ? open.startsWith(path) : path === open
      );
    const [label, saving] = [trans.__('Commit'), trans.__('Save and commit')];
    let isDone = false;
    await attempt(trans, trans.__('Could not commit'), async () => {
      await this._open.compare();
      const unsaved = this._open.unsaved.filter(context =>
        isChosen(this._open.fileOf(context))
      );
      if (!(await this._open.save(unsaved, trans.__('Commit'), label, saving))) {
        return;
      }
      const body = { message, paths: pathsOf(files) };
      const { commit } = await ask(
        api.POST('/branch/commit', { ...this.query(), body })
      );
      isDone = true;
      tell(trans.__('Commit %1', commit.slice(0, 7)));
      this._workbench.tell('branch');
    });
    return isDone;
  }

  /** Bring files back to the last commit, after asking; it can be undone for a while. */
  async discard(files: readonly IChangedFile[]): Promise<void> {
    const trans = this._trans;
    const count = files.length;
    const isSure = await askSure(
      trans._n(
        'Discard the changes?',
        'Discard the changes of %1 files?',
        count,
        count
      ),
      trans.__(
        '%1: as in the last commit again; files that are new go. “Undo” brings the changes back.',
        files.map(file => file.path).join(', ')
      ),
      trans.__('Discard'),
      trans
    );
    if (!isSure) {
      return;
    }
    await attempt(trans, trans.__('Could not discard'), async () => {
      await this._open.compare();
      const body = { paths: pathsOf(files) };
      const { id, paths } = await ask(
        api.POST('/branch/discard', { ...this.query(), body })
      );
      await this.settle();
      Notification.info(
        trans._n(
          'Discarded one file',
          'Discarded %1 files',
          paths.length,
          paths.length
        ),
        {
          autoClose: false,
          actions: [{ label: trans.__('Undo'), callback: () => void this._undo(id) }]
        }
      );
    });
  }

  /** Bring back the work that is kept with the current branch. */
  async bringBack(): Promise<void> {
    const trans = this._trans;
    await attempt(trans, trans.__('Could not bring the work back'), async () => {
      await this._open.compare();
      await ask(api.POST('/branches/bring-back', this.query()));
      await this.settle();
    });
  }

  private async _undo(id: string): Promise<void> {
    const trans = this._trans;
    await attempt(trans, trans.__('Could not bring the changes back'), async () => {
      await this._open.compare();
      await ask(api.POST('/branch/undo-discard', { ...this.query(), body: { id } }));
      await this.settle();
    });
  }

  /** Say that files have changed, and bring what is open up to date. */
  protected async settle(): Promise<void> {
    this._workbench.tell('branch', 'features', 'data');
    await this._open.refresh();
  }

  protected query(): { params: { query: { path: string } } } {
    return { params: { query: { path: this._workbench.path } } };
  }
}

/** Say what was done, for long enough to be read: without a time Lab keeps it in its list. */
export function tell(message: string): void {
  Notification.success(message, { autoClose: READING_TIME });
}

/** The paths of changed files, with those that renamed ones had. */
function pathsOf(files: readonly IChangedFile[]): string[] {
  return files.flatMap(({ path, was }) => (was ? [path, was] : [path]));
}
