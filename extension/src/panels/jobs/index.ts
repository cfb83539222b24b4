import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { DOMAIN, panelPlugin } from '../../plugin';
import { jobIcon } from '../../ui/icons';
import { IWorkbench, Workbench } from '../../workbench';
import { addJobCommands } from './commands';
import { jobsPanel } from './panel';

export const jobsPlugin = panelPlugin({
  id: 'jobs',
  description: 'Notebooks as jobs: what waits, runs and ran, and schedules.',
  rank: 30,
  icon: jobIcon,
  title: trans => trans.__('Jobs'),
  caption: trans => trans.__('Notebooks as jobs: what waits, runs and ran'),
  make: jobsPanel
});

/** Runs notebooks as jobs, and shows a job. */
export const runAsJobPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workbench:run-as-job',
  description: 'Runs the active notebook as a job, from a form made of its parameters.',
  autoStart: true,
  requires: [IWorkbench, INotebookTracker, IRenderMimeRegistry],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    workbench: Workbench,
    tracker: INotebookTracker,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const context = { app, commands: app.commands, workbench, trans };
    addJobCommands(context, tracker, rendermime, palette);
  }
};
