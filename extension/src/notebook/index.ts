import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { DOMAIN } from '../plugin';
import { LinearityIndicator } from './indicator';
import { addTagCommands, CELL_TAGS, tagCommand } from './tags';

/** Tags cells from the palette and the cell's menu; its settings have the toolbar and the menus. */
export const cellTagsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workbench:notebook',
  description:
    'Tags cells as parameters or functions, and puts “Run as Job” in the toolbar.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    addTagCommands(app.commands, tracker, trans);
    CELL_TAGS.forEach(tag =>
      palette?.addItem({ command: tagCommand(tag), category: trans.__('Workbench') })
    );
  }
};

/** Says in a notebook's toolbar that its execution isn't linear. */
export const linearityPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workbench:linearity',
  description: 'Says when a notebook was not run from top to bottom.',
  autoStart: true,
  requires: [IToolbarWidgetRegistry],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    toolbars: IToolbarWidgetRegistry,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    toolbars.addFactory<NotebookPanel>(
      'Notebook',
      'workbench-linearity',
      panel => new LinearityIndicator(panel, app.commands, trans)
    );
  }
};
