/**
 * What can be done with branches and with work that isn't committed.
 */
import { Notification } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';

import { api, ask } from '../../api/client';
import { Choice, IBranchInfo, IChangedFile, ISwitched } from '../../api/types';
import { Workbench } from '../../workbench';
import { attempt } from './attempt';
import { askLeaving, askStart, askSure, IStart } from './dialogs';
import { OpenDocuments } from './documents';

/** Each asks what has to be asked, does it, and brings what is open up to date. */
export class Actions {
  constructor(
    private readonly _workbench: Workbench,
    private readonly _open: OpenDocuments,
    private readonly _trans: TranslationBundle
  ) {}

  /** Whether the user may change anything here. */
  get mayWrite(): boolean {
    const { state } = this._workbench.project;
    return state.kind !== 'error' && state.value?.role !== 'viewer';
  }

  /** Start a branch, of a name that is asked for. */
  async start(asked: IStart = { name: '', base: '' }): Promise<void> {
    const trans = this._trans;
    let wanted = asked;
    const act = async (): Promise<void> => {
      const { branches } = await ask(api.GET('/branches', this._query()));
      const names = branches.map(branch => branch.name);
      const here = branches.find(branch => branch.current)?.name ?? 'HEAD';
      const found = await askStart(wanted, names, here, trans);
      if (found) {
        wanted = found;
        const body = { name: found.name, base: found.base || null };
        this._tell(await ask(api.POST('/branches', { ...this._query(), body })));
        await this._settle();
      }
    };
    const failed = trans.__('Could not start a branch');
    await attempt(trans, failed, act, () => this.start(wanted));
  }

  /** Switch to a branch, after asking about what isn't committed or saved. */
  async switchTo(name: string): Promise<void> {
    const trans = this._trans;
    const failed = trans.__('Could not switch to %1', name);
    await attempt(trans, failed, async () => {
      const status = await ask(api.GET('/branch', this._query()));
      const { unsaved } = this._open;
      let leaving = { work: 'keep' as 'keep' | 'carry', save: false };
      if (unsaved.length || status.changed.length) {
        const asked = await askLeaving(
          trans.__('Switch to %1', name),
          { label: trans.__('Switch'), labelSaving: trans.__('Save and go') },
          unsaved.map(context => context.localPath),
          status.branch === null
            ? null
            : { branch: status.branch, changes: status.changed.length },
          trans
        );
        if (!asked) {
          return;
        }
        leaving = asked;
      }
      if (leaving.save) {
        await Promise.all(unsaved.map(context => context.save()));
      }
      const body = { name, work: leaving.work };
      this._tell(await ask(api.POST('/branches/switch', { ...this._query(), body })));
      await this._settle();
    });
  }

  /** Commit files; resolves to whether that was done. */
  async commit(files: readonly IChangedFile[], message: string): Promise<boolean> {
    const trans = this._trans;
    const chosen = files.map(file => this._open.pathOf(file.path) ?? '');
    const unsaved = this._open.unsaved.filter(({ localPath }) =>
      chosen.some(path =>
        path.endsWith('/') ? localPath.startsWith(path) : path === localPath
      )
    );
    const [label, saving] = [trans.__('Commit'), trans.__('Save and commit')];
    let isDone = false;
    await attempt(trans, trans.__('Could not commit'), async () => {
      if (!(await this._open.save(unsaved, trans.__('Commit'), label, saving))) {
        return;
      }
      const body = { message, paths: pathsOf(files) };
      const { commit } = await ask(
        api.POST('/branch/commit', { ...this._query(), body })
      );
      isDone = true;
      Notification.success(trans.__('Commit %1', commit.slice(0, 7)));
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
      const body = { paths: pathsOf(files) };
      const { id, paths } = await ask(
        api.POST('/branch/discard', { ...this._query(), body })
      );
      await this._settle();
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

  /** Drop a branch, after asking. */
  async drop(branch: IBranchInfo): Promise<void> {
    const trans = this._trans;
    const { name } = branch;
    const text = branch.has_kept_work
      ? trans.__(
          'Its runs stay, and it can be restored, with the uncommitted work that is kept with it.'
        )
      : trans.__('Its runs stay, and it can be restored.');
    const title = trans.__('Drop %1?', name);
    if (!(await askSure(title, text, trans.__('Drop'), trans))) {
      return;
    }
    await attempt(trans, trans.__('Could not drop %1', name), async () => {
      const { path } = this._workbench;
      const query = { path, name, force: branch.has_kept_work };
      await ask(api.DELETE('/branches', { params: { query } }));
      this._workbench.tell('branch');
      Notification.info(trans.__('Dropped %1', name), {
        actions: [
          { label: trans.__('Restore'), callback: () => void this.restore(name) }
        ]
      });
    });
  }

  /** Have a dropped branch back. */
  async restore(name: string): Promise<void> {
    const trans = this._trans;
    await attempt(trans, trans.__('Could not restore %1', name), async () => {
      await ask(api.POST('/branches/restore', { ...this._query(), body: { name } }));
      this._workbench.tell('branch');
    });
  }

  /** Bring back the work that is kept with the current branch. */
  async bringBack(): Promise<void> {
    const trans = this._trans;
    await attempt(trans, trans.__('Could not bring the work back'), async () => {
      await ask(api.POST('/branches/bring-back', this._query()));
      await this._settle();
    });
  }

  /** Merge a branch into the current one; resolves to whether that was done. */
  async merge(
    name: string,
    choices: Record<string, Choice>,
    message: string
  ): Promise<boolean> {
    const trans = this._trans;
    const [label, saving] = [trans.__('Merge'), trans.__('Save and merge')];
    let isDone = false;
    await attempt(trans, trans.__('Could not merge %1', name), async () => {
      const { unsaved } = this._open;
      if (
        !(await this._open.save(unsaved, trans.__('Merge %1', name), label, saving))
      ) {
        return;
      }
      const body = { name, choices, message: message.trim() || null };
      const { commit } = await ask(
        api.POST('/branches/merge', { ...this._query(), body })
      );
      isDone = true;
      await this._settle();
      Notification.success(trans.__('Merged %1: commit %2', name, commit.slice(0, 7)));
    });
    return isDone;
  }

  private async _undo(id: string): Promise<void> {
    const trans = this._trans;
    await attempt(trans, trans.__('Could not bring the changes back'), async () => {
      await ask(api.POST('/branch/undo-discard', { ...this._query(), body: { id } }));
      await this._settle();
    });
  }

  /** Say where one is now, and what became of work that wasn't committed. */
  private _tell(switched: ISwitched): void {
    const trans = this._trans;
    const { branch, kept = [], brought_back: back = [], set_aside: aside } = switched;
    const said = [trans.__('On branch %1.', branch)];
    if (kept.length) {
      said.push(trans.__('Kept there: %1.', kept.join(', ')));
    }
    if (back.length) {
      said.push(trans.__('Back again: %1.', back.join(', ')));
    }
    if (aside) {
      said.push(trans.__('Commits that no branch has can be restored as %1.', aside));
    }
    Notification.success(said.join(' '));
  }

  /** Say that files have changed, and bring what is open up to date. */
  private async _settle(): Promise<void> {
    this._workbench.tell('branch', 'features', 'data');
    await this._open.refresh();
  }

  private _query(): { params: { query: { path: string } } } {
    return { params: { query: { path: this._workbench.path } } };
  }
}

/** The paths of changed files, with those that renamed ones had. */
function pathsOf(files: readonly IChangedFile[]): string[] {
  return files.flatMap(({ path, was }) => (was ? [path, was] : [path]));
}
