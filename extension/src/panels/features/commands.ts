/**
 * Putting a feature into the notebook, by name.
 */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { TranslationBundle } from '@jupyterlab/translation';

import { READING_TIME, sayFailure } from '../../ui/saying';
import { Workbench } from '../../workbench';
import { FocusMemory, goOnWriting, insertCode } from './insert';
import { pickFeature } from './pick';

export namespace CommandIDs {
  export const insertFeature = 'workbench:insert-feature';
  export const insertCode = 'workbench:insert-code';
}

/**
 * Add the commands that insert a feature, the one whose code it is given or one to choose, and any
 * code.
 */
export function addInsertCommands(
  app: JupyterFrontEnd,
  workbench: Workbench,
  tracker: INotebookTracker,
  palette: ICommandPalette | null,
  trans: TranslationBundle
): void {
  const memory = new FocusMemory(tracker);
  const insert = async (
    find: () => Promise<string | undefined>,
    whenClosed: string
  ): Promise<void> => {
    const panel = tracker.currentWidget;
    if (!panel) {
      Notification.warning(whenClosed, { autoClose: READING_TIME });
      return;
    }
    try {
      const code = await find();
      if (code) {
        await insertCode(panel, code, memory);
        await goOnWriting(panel, app.shell);
      }
    } catch (error) {
      sayFailure(error);
    }
  };
  app.commands.addCommand(CommandIDs.insertFeature, {
    label: trans.__('Insert a Feature into the Notebook'),
    caption: trans.__('Insert the code of a feature at the cursor'),
    describedBy: codeArgs(
      trans.__('The Python to insert; without it, the user chooses'),
      false
    ),
    execute: args =>
      insert(
        async () =>
          typeof args.code === 'string'
            ? args.code
            : (await pickFeature(workbench, trans))?.code,
        trans.__('Open a notebook first: the feature goes to its cursor.')
      )
  });
  app.commands.addCommand(CommandIDs.insertCode, {
    label: trans.__('Insert Code into the Notebook'),
    describedBy: codeArgs(trans.__('The Python to insert at the cursor'), true),
    execute: args =>
      insert(
        async () => String(args.code),
        trans.__('Open a notebook first: the code goes to its cursor.')
      )
  });
  palette?.addItem({
    command: CommandIDs.insertFeature,
    category: trans.__('Workbench')
  });
}

function codeArgs(description: string, isRequired: boolean) {
  return {
    args: {
      type: 'object',
      properties: { code: { type: 'string', description } },
      required: isRequired ? ['code'] : []
    }
  };
}
