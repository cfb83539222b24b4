import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { searchIcon } from '@jupyterlab/ui-components';

import { DOMAIN, panelPlugin } from '../../plugin';
import { IWorkbench, Workbench } from '../../workbench';
import { addInsertCommands } from './commands';
import { featuresPanel } from './panel';

export const featuresPlugin = panelPlugin({
  id: 'features',
  description: 'What a model can be fed with.',
  rank: 50,
  icon: searchIcon,
  title: trans => trans.__('Features'),
  caption: trans => trans.__('Search features and put them into the notebook'),
  make: featuresPanel
});

/** Puts a feature's code into the notebook. */
export const insertPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workbench:insert',
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
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    addInsertCommands(app, workbench, tracker, palette, trans);
  }
};
