/**
 * What can be done with jobs: ending them, trying them again, looking at them.
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';

import { api, ask } from '../../api/client';
import { IJob } from '../../api/types';
import { IContext } from '../../plugin';
import { sayFailure } from '../../ui/saying';
import { whyNot } from '../../ui/standing';
import { Workbench } from '../../workbench';

export namespace CommandIDs {
  export const runAsJob = 'workbench:run-as-job';
  export const openJob = 'workbench:open-job';
  export const openExecuted = 'workbench:open-executed';
}

/** Either some jobs or a whole batch. */
export interface IChosen {
  readonly ids?: string[];
  readonly batch?: string;
}

/** What the rows of the panel and the page of a job can do. */
export class Actions {
  constructor(private readonly _context: IContext) {}

  get trans(): TranslationBundle {
    return this._context.trans;
  }

  /** Why the user may not run, end or plan anything; undefined if they may. */
  get whyNot(): string | undefined {
    return whyNot(this._workbench, this.trans);
  }

  /** Ask for the end of jobs, once the user has said that they mean it. */
  async cancel(chosen: IChosen, what: string): Promise<void> {
    const { trans } = this;
    const { button } = await showDialog({
      title: trans.__('Cancel %1?', what),
      body: trans.__(
        'What runs is ended within seconds. What its cells have put out is kept, and it can be run again.'
      ),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Let it run') }),
        Dialog.warnButton({ label: trans.__('Cancel it') })
      ]
    });
    if (button.accept) {
      await this._post('/jobs/cancel', chosen);
    }
  }

  /** Try again what ended without success. */
  resume(chosen: IChosen): Promise<void> {
    return this._post('/jobs/resume', chosen);
  }

  open(job: IJob | string): void {
    const id = typeof job === 'string' ? job : job.id;
    void this._commands.execute(CommandIDs.openJob, { id });
  }

  openExecuted(job: IJob): void {
    void this._commands.execute(CommandIDs.openExecuted, { id: job.id });
  }

  /** Open the form with what the job was given; a hidden value isn't known any more. */
  runAgain(job: IJob): void {
    const parameters = Object.fromEntries(
      Object.entries(job.params)
        .filter(([, value]) => value !== '***')
        .map(([name, value]) => [
          name,
          typeof value === 'string' ? value : JSON.stringify(value)
        ])
    );
    const path = fromServer(this._workbench, job.notebook);
    if (path !== null) {
      void this._commands.execute(CommandIDs.runAsJob, { path, parameters });
    }
  }

  /** Open a file of the project, by its path from the project's root. */
  openFile(path: string): void {
    const file = fromServer(this._workbench, path);
    if (file !== null) {
      void this._commands.execute('docmanager:open', { path: file });
    }
  }

  runCurrent(): void {
    void this._commands.execute(CommandIDs.runAsJob);
  }

  private async _post(
    path: '/jobs/cancel' | '/jobs/resume',
    { ids, batch }: IChosen
  ): Promise<void> {
    try {
      await ask(
        api.POST(path, {
          params: { query: { path: this._workbench.path } },
          body: { ids: ids ?? [], batch: batch ?? null }
        })
      );
    } catch (error) {
      sayFailure(error);
    }
    this._workbench.tell('jobs');
  }

  private get _workbench(): Workbench {
    return this._context.workbench;
  }

  private get _commands(): CommandRegistry {
    return this._context.commands;
  }
}

/** A path from the project's root as the Jupyter server has it; null if that can't reach it. */
export function fromServer(workbench: Workbench, path: string): string | null {
  const { state } = workbench.project;
  const folder = state.kind === 'ready' ? state.value.folder : null;
  return folder === null ? null : PathExt.join(folder, path);
}

/** A path of the Jupyter server's as the project has it; null if it is outside. */
export function fromProject(workbench: Workbench, path: string): string | null {
  const { state } = workbench.project;
  const folder = state.kind === 'ready' ? state.value.folder : null;
  if (folder === null) {
    return null;
  }
  const from = PathExt.relative(`/${folder}`, `/${path}`);
  return from.startsWith('..') ? null : from;
}
