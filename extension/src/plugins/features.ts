import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addInsertCommand } from '../commands';
import { IWorkbench, Workbench } from '../workbench';

/** Puts a feature's code into the notebook. */
export const featuresPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workbench:features',
  description: 'Inserts the code of a feature into the active notebook.',
  autoStart: true,
  requires: [IWorkbench, INotebookTracker],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    workbench: Workbench,
    tracker: INotebookTracker,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyter_workbench');
    addInsertCommand(app, workbench, tracker, palette, trans);
  }
};
