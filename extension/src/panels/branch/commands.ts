import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import {
  ITranslator,
  nullTranslator,
  TranslationBundle
} from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Debouncer } from '@lumino/polling';

import { DOMAIN } from '../../plugin';
import { IWorkbench, Workbench } from '../../workbench';
import { Actions } from './actions';
import { OpenDocuments } from './documents';
import { showComparison } from './views/compare';
import { showDiff } from './views/diff';
import { showLeaderboard } from './views/leaderboard';
import { showMerge } from './views/merge';

export namespace CommandIDs {
  export const start = 'workbench:start-branch';
  export const switchTo = 'workbench:switch-branch';
  export const diff = 'workbench:diff-file';
  export const compare = 'workbench:compare-branches';
  export const leaderboard = 'workbench:branch-leaderboard';
  export const merge = 'workbench:merge-branch';
}

/** How long a burst of saved files may last, in milliseconds. */
const BURST = 300;

/** Adds what can be done with branches from anywhere, and the views that open in the main area. */
export const branchCommandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workbench:branch-commands',
  description: 'Commands that start, switch, compare and merge branches.',
  autoStart: true,
  requires: [IWorkbench, IRenderMimeRegistry],
  optional: [IEditorServices, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    workbench: Workbench,
    rendermime: IRenderMimeRegistry,
    editors: IEditorServices | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const documents = new OpenDocuments(app, workbench, trans);
    const actions = new Actions(workbench, documents, trans);
    const context = { app, commands: app.commands, workbench, trans };
    const add = (
      id: string,
      label: string,
      names: Readonly<Record<string, string>>,
      execute: (args: Readonly<Record<string, string>>) => unknown
    ): void => {
      app.commands.addCommand(id, commandOf(label, names, execute));
      palette?.addItem({ command: id, category: trans.__('Workbench') });
    };
    add(CommandIDs.start, trans.__('Start a Branch…'), {}, () => actions.start());
    add(
      CommandIDs.leaderboard,
      trans.__('Rank the Branches'),
      { metric: trans.__('The metric to rank by') },
      ({ metric }) => showLeaderboard(context, metric)
    );
    add(
      CommandIDs.compare,
      trans.__('Compare Two Branches'),
      { a: trans.__('A branch'), b: trans.__('Another branch') },
      ({ a, b }) => showComparison(context, a, b)
    );
    app.commands.addCommand(
      CommandIDs.switchTo,
      commandOf(trans.__('Switch to a Branch'), nameOf(trans), ({ name }) =>
        actions.switchTo(name)
      )
    );
    app.commands.addCommand(
      CommandIDs.merge,
      commandOf(trans.__('Merge a Branch into This One'), nameOf(trans), ({ name }) =>
        showMerge(context, actions, name)
      )
    );
    app.commands.addCommand(
      CommandIDs.diff,
      commandOf(
        trans.__('Show How a File Differs'),
        {
          file: trans.__('The file, from the root of the project'),
          was: trans.__('Its path before it was renamed'),
          base: trans.__('A branch or a commit; else the last commit'),
          other: trans.__('A branch or a commit; else the file on disk')
        },
        args => showDiff(context, { rendermime, editors }, args)
      )
    );
    tellOfSaving(app, workbench, documents);
  }
};

function nameOf(trans: TranslationBundle): Record<string, string> {
  return { name: trans.__('The name of the branch') };
}

/** Describe a command whose arguments are texts, empty if they aren't given. */
function commandOf(
  label: string,
  names: Readonly<Record<string, string>>,
  execute: (args: Readonly<Record<string, string>>) => unknown
): CommandRegistry.ICommandOptions {
  const keys = Object.keys(names);
  const properties = Object.fromEntries(
    keys.map(key => [key, { type: 'string', description: names[key] }])
  );
  return {
    label,
    describedBy: { args: { type: 'object', properties } },
    execute: args =>
      execute(Object.fromEntries(keys.map(key => [key, String(args[key] ?? '')])))
  };
}

/** Say that files of the project were saved, made, moved or removed here. */
function tellOfSaving(
  app: JupyterFrontEnd,
  workbench: Workbench,
  documents: OpenDocuments
): void {
  const { contents } = app.serviceManager;
  const teller = new Debouncer(() => workbench.tell('branch'), BURST);
  contents.fileChanged.connect((_, { newValue, oldValue }) => {
    const top = documents.pathOf('');
    const paths = [newValue?.path, oldValue?.path].map(path => path ?? '');
    if (top !== null && paths.some(path => contents.localPath(path).startsWith(top))) {
      void teller.invoke();
    }
  });
}
