/**
 * What can be done with branches.
 */
import { Notification } from '@jupyterlab/apputils';

import { api, ask } from '../../api/client';
import { Choice, IBranchInfo, ISwitched } from '../../api/types';
import { attempt } from './attempt';
import { askLeaving, askStart, askSure, IStart } from './dialogs';
import { tell, WorkActions } from './work';

/** Those of work that isn't committed too: a panel has one object that acts. */
export class Actions extends WorkActions {
  /** Start a branch, of a name that is asked for. */
  async start(asked: IStart = { name: '', base: '' }): Promise<void> {
    const trans = this._trans;
    let wanted = asked;
    const act = async (): Promise<void> => {
      const { branches } = await ask(api.GET('/branches', this.query()));
      const names = branches.map(branch => branch.name);
      const here = branches.find(branch => branch.current)?.name ?? 'HEAD';
      const found = await askStart(wanted, names, here, trans);
      if (found) {
        wanted = found;
        await this._open.compare();
        const body = { name: found.name, base: found.base || null };
        this._tell(await ask(api.POST('/branches', { ...this.query(), body })));
        await this.settle();
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
      const status = await ask(api.GET('/branch', this.query()));
      await this._open.compare();
      const { unsaved } = this._open;
      let leaving = { work: 'keep' as 'keep' | 'carry', save: false };
      if (unsaved.length || status.changed.length) {
        const asked = await askLeaving(
          trans.__('Switch to %1', name),
          { label: trans.__('Switch'), labelSaving: trans.__('Save and switch') },
          unsaved.map(context => this._open.fileOf(context)),
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
      this._tell(await ask(api.POST('/branches/switch', { ...this.query(), body })));
      await this.settle();
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
        autoClose: false,
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
      await ask(api.POST('/branches/restore', { ...this.query(), body: { name } }));
      this._workbench.tell('branch');
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
      await this._open.compare();
      const { unsaved } = this._open;
      if (
        !(await this._open.save(unsaved, trans.__('Merge %1', name), label, saving))
      ) {
        return;
      }
      const body = { name, choices, message: message.trim() || null };
      const { commit } = await ask(
        api.POST('/branches/merge', { ...this.query(), body })
      );
      isDone = true;
      await this.settle();
      tell(trans.__('Merged %1: commit %2', name, commit.slice(0, 7)));
    });
    return isDone;
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
    tell(said.join(' '));
  }
}
