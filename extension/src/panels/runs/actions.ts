/**
 * What can be done with a run beside looking at it.
 */
import { InputDialog, Notification } from '@jupyterlab/apputils';
import { PathExt, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import { api, ask } from '../../api/client';
import { IRun } from '../../api/types';
import { IContext } from '../../plugin';
import { READING_TIME, sayFailure } from '../../ui/saying';
import { executedPath } from './drive';

export namespace CommandIDs {
  export const compare = 'workbench:compare-runs';
  export const runAsJob = 'workbench:run-as-job';
  export const register = 'workbench:register-run';
}

export class RunActions {
  constructor(private readonly _context: IContext) {}

  /** Whether notebooks can be run as jobs here. */
  get canRun(): boolean {
    return this._context.commands.hasCommand(CommandIDs.runAsJob);
  }

  /** Whether models are there to be versions of. */
  get canRegister(): boolean {
    return this._context.commands.hasCommand(CommandIDs.register);
  }

  /** Do something, and say so if it can't be done. */
  async attempt(doing: () => Promise<unknown>): Promise<void> {
    try {
      await doing();
    } catch (error) {
      sayFailure(error);
    }
  }

  compare(runs: Iterable<string>): void {
    const { commands, workbench } = this._context;
    const args = { runs: [...runs], path: workbench.path };
    void commands.execute(CommandIDs.compare, args);
  }

  /** Open the notebook as the run executed it. */
  async openNotebook(run: IRun): Promise<void> {
    const { commands, workbench } = this._context;
    // Without a kernel: it is there to be read.
    const kernelPreference = {
      shouldStart: false,
      canStart: true,
      autoStartDefault: false
    };
    const path = executedPath(workbench.path, run);
    await commands.execute('docmanager:open', { path, kernelPreference });
  }

  /** Bring the run's code into a folder that the user names. */
  async checkOut(run: IRun): Promise<void> {
    const { commands, trans, workbench } = this._context;
    const name = `run-${run.run_id.slice(0, 8)}`;
    const { value } = await InputDialog.getText({
      title: trans.__('Check out the code of %1', run.name),
      label: trans.__('A new or empty folder. What you work on stays as it is.'),
      text: this._folder ? `${this._folder}-${name}` : name,
      okLabel: trans.__('Check out')
    });
    if (!value) {
      return;
    }
    const params = { path: { run_id: run.run_id }, query: { path: workbench.path } };
    const body = { folder: value.trim() };
    const found = await ask(api.POST('/runs/{run_id}/checkout', { params, body }));
    const leftOut = found.left_out.length
      ? ` ${trans.__('Not in it, for it was too large: %1', found.left_out.join(', '))}`
      : '';
    Notification.success(
      trans.__('The code of %1 is in %2.', run.name, found.folder) + leftOut,
      {
        autoClose: READING_TIME,
        actions: [
          {
            label: trans.__('Show the folder'),
            callback: () =>
              void commands.execute('filebrowser:open-path', { path: found.folder })
          }
        ]
      }
    );
  }

  /** Open the form of a job with the notebook and the parameters of the run. */
  async runAgain(run: IRun): Promise<void> {
    const { commands, trans, workbench } = this._context;
    const params = { path: { run_id: run.run_id }, query: { path: workbench.path } };
    const origin = await ask(api.GET('/runs/{run_id}/origin', { params }));
    if (origin.notebook === null) {
      throw new Error(
        trans.__(
          'The notebook of %1 is not in the project: check out its code instead.',
          run.name
        )
      );
    }
    await commands.execute(CommandIDs.runAsJob, {
      path: PathExt.join(this._folder, origin.notebook),
      parameters: Object.fromEntries(
        Object.entries(origin.parameters).map(([name, value]) => [name, written(value)])
      )
    });
  }

  /** Make the run's model a version. */
  async register(run: IRun): Promise<void> {
    await this._context.commands.execute(CommandIDs.register, { run: run.run_id });
  }

  /** Show the run in MLflow's own pages, which start when they are first asked for. */
  openMlflow(run: IRun): void {
    const { baseUrl } = ServerConnection.makeSettings();
    const url = URLExt.join(baseUrl, 'workbench', 'mlflow');
    const query = { path: this._context.workbench.path, run: run.run_id };
    window.open(url + URLExt.objectToQueryString(query), '_blank', 'noopener');
  }

  /** The project's root, from the server's. */
  private get _folder(): string {
    const { state } = this._context.workbench.project;
    return state.kind === 'ready' ? (state.value.folder ?? '') : '';
  }
}

/** Write a parameter as it is typed into a form. */
function written(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
