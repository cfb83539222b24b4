import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';

import { follow } from './follow';
import { IWorkbench, Workbench } from './workbench';

/** Provides the project of the folder that the user is in. */
export const projectPlugin: JupyterFrontEndPlugin<Workbench> = {
  id: 'jupyter-workbench:project',
  description: 'Knows the Workbench project of the current folder.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [IDefaultFileBrowser],
  provides: IWorkbench,
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    browser: IDefaultFileBrowser | null
  ) => {
    const workbench = new Workbench();
    follow(workbench, app.serviceManager.contents, tracker, browser);
    return workbench;
  }
};
