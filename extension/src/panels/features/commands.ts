/**
 * Putting a feature into the notebook, by name.
 */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';

import { Workbench } from '../../workbench';
import { FocusMemory, goOnWriting, insertCode } from './insert';
import { pickFeature } from './pick';

export namespace CommandIDs {
  export const insertFeature = 'workbench:insert-feature';
}

/** How long a notification stays, in milliseconds. JupyterLab shows none unless it is told. */
const READING_TIME = 6000;

/** Add the command that inserts a feature: the one whose code it is given, or one to choose. */
export function addInsertCommand(
  app: JupyterFrontEnd,
  workbench: Workbench,
  tracker: INotebookTracker,
  palette: ICommandPalette | null,
  trans: TranslationBundle
): void {
  const memory = new FocusMemory(tracker);
  app.commands.addCommand(CommandIDs.insertFeature, {
    label: trans.__('Insert a Feature into the Notebook'),
    caption: trans.__('Insert the code of a feature at the cursor'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          code: {
            type: 'string',
            description: trans.__('The Python to insert; without it, the user chooses')
          }
        }
      }
    },
    execute: async args => {
      const panel = tracker.currentWidget;
      if (!panel) {
        Notification.warning(
          trans.__('Open a notebook first: the feature goes to its cursor.'),
          { autoClose: READING_TIME }
        );
        return;
      }
      try {
        const given = typeof args.code === 'string' ? args.code : null;
        const code = given ?? (await pickFeature(workbench, trans))?.code;
        if (code) {
          await insertCode(panel, code, memory);
          await goOnWriting(panel, app.shell);
        }
      } catch (error) {
        Notification.error((error as Error).message, { autoClose: false });
      }
    }
  });
  palette?.addItem({
    command: CommandIDs.insertFeature,
    category: trans.__('Workbench')
  });
}
