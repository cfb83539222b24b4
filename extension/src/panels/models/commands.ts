/**
 * What can be done with a model and a version of it, by name.
 */
import { Notification } from '@jupyterlab/apputils';
import { ReadonlyJSONObject } from '@lumino/coreutils';
import { Menu } from '@lumino/widgets';

import { api, ask } from '../../api/client';
import { IContext } from '../../plugin';
import { READING_TIME, sayFailure } from '../../ui/saying';
import { whyNot } from '../../ui/standing';
import { followTask } from './follow';
import { askForReason } from './reason';
import { registerRun } from './register';
import { approveVersion, promoteVersion } from './promote';
import {
  openExplanation,
  openGate,
  openGateNotebook,
  openLineage,
  paramsOf
} from './pages';

export namespace CommandIDs {
  export const promote = 'workbench:promote-version';
  export const approve = 'workbench:approve-version';
  export const gate = 'workbench:gate-version';
  export const showGate = 'workbench:show-gate';
  export const showGateNotebook = 'workbench:show-gate-notebook';
  export const explain = 'workbench:explain-version';
  export const lineage = 'workbench:show-lineage';
  export const reproduce = 'workbench:reproduce-version';
  export const register = 'workbench:register-run';
  export const rollBack = 'workbench:roll-back-model';
}

/** Of which version a command is. */
export interface IVersionArgs extends ReadonlyJSONObject {
  readonly model: string;
  readonly version: string;
}

type Act = (context: IContext, args: IVersionArgs) => Promise<void> | void;

/** Add the commands of the panel Models. */
export function addModelCommands(context: IContext): void {
  const { trans } = context;
  const add = (id: string, label: string, act: Act): void =>
    addVersionCommand(context, id, label, act, () => true);
  const addWriting = (id: string, label: string, act: Act): void =>
    addVersionCommand(context, id, label, act, () => context.workbench.mayWrite);
  addWriting(CommandIDs.promote, trans.__('Promote…'), promoteVersion);
  addWriting(CommandIDs.approve, trans.__('Approve or Refuse…'), approveVersion);
  add(CommandIDs.showGate, trans.__('Show the Gate’s Evidence'), openGate);
  add(
    CommandIDs.showGateNotebook,
    trans.__('Show the Gate’s Notebook'),
    openGateNotebook
  );
  addWriting(CommandIDs.gate, trans.__('Run the Gate Again'), runGate);
  add(CommandIDs.explain, trans.__('Explain'), openExplanation);
  addWriting(CommandIDs.reproduce, trans.__('Reproduce'), reproduce);
  addRegisterCommand(context);
  addLineageCommand(context);
  addRollBackCommand(context);
}

/** Open the menu of a version at a place on the screen. */
export function openVersionMenu(
  { commands, trans }: IContext,
  args: IVersionArgs,
  x: number,
  y: number
): void {
  const menu = new Menu({ commands });
  menu.title.label = trans.__('What to do with version %1', args.version);
  const node = `model:${args.model}/${args.version}`;
  const groups = [
    [CommandIDs.promote, CommandIDs.approve],
    [CommandIDs.showGate, CommandIDs.showGateNotebook, CommandIDs.gate],
    [CommandIDs.explain, CommandIDs.lineage, CommandIDs.reproduce]
  ];
  groups.forEach((group, at) => {
    if (at > 0) {
      menu.addItem({ type: 'separator' });
    }
    group.forEach(command =>
      menu.addItem({ command, args: command === CommandIDs.lineage ? { node } : args })
    );
  });
  // What was chosen is done while it closes.
  menu.aboutToClose.connect(() => requestAnimationFrame(() => menu.dispose()));
  menu.open(x, y);
}

function addVersionCommand(
  context: IContext,
  id: string,
  label: string,
  act: Act,
  isEnabled: () => boolean
): void {
  const { commands, trans } = context;
  const properties = {
    model: { type: 'string', description: trans.__('The name of a model') },
    version: { type: 'string', description: trans.__('The number of its version') }
  };
  commands.addCommand(id, {
    label,
    caption: () => (isEnabled() ? '' : (whyNot(context.workbench, trans) ?? '')),
    isEnabled,
    describedBy: {
      args: { type: 'object', properties, required: ['model', 'version'] }
    },
    execute: args =>
      saying(() =>
        act(context, { model: String(args.model), version: String(args.version) })
      )
  });
}

function addRegisterCommand(context: IContext): void {
  const { trans } = context;
  const run = { type: 'string', description: trans.__('The id of a run') };
  context.commands.addCommand(CommandIDs.register, {
    label: trans.__('Register as a Version…'),
    caption: trans.__(
      'Make the model that a run logged a version, to be put through a gate'
    ),
    describedBy: { args: { type: 'object', properties: { run }, required: ['run'] } },
    execute: args => saying(() => registerRun(context, String(args.run)))
  });
}

function addLineageCommand(context: IContext): void {
  const { trans } = context;
  context.commands.addCommand(CommandIDs.lineage, {
    label: trans.__('Show the Lineage'),
    caption: trans.__('What it came from, and what came of it'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          node: {
            type: 'string',
            description: trans.__(
              'A node, such as `model:NAME@ALIAS` or the id of a run'
            )
          }
        },
        required: ['node']
      }
    },
    execute: args => openLineage(context, String(args.node))
  });
}

function addRollBackCommand(context: IContext): void {
  const { trans, workbench, commands } = context;
  const text = { type: 'string' };
  const properties = { model: text, alias: text, from: text, to: text };
  commands.addCommand(CommandIDs.rollBack, {
    label: trans.__('Roll Back…'),
    caption: trans.__('Give an alias back to the version that had it before'),
    describedBy: {
      args: { type: 'object', properties, required: ['model', 'alias'] }
    },
    execute: args =>
      saying(async () => {
        const name = String(args.model);
        const alias = String(args.alias);
        const answer = await askForReason(trans, {
          title: trans.__('Roll %1 of %2 back?', alias, name),
          text: args.to
            ? trans.__(
                '%1 goes from version %2 back to version %3. Nothing is lost: version %2 stays, and can be promoted again.',
                alias,
                String(args.from),
                String(args.to)
              )
            : trans.__('%1 goes back to the version that had it before.', alias),
          label: trans.__('Why? It stays in the record.'),
          buttons: [{ label: trans.__('Roll back'), isDangerous: true }]
        });
        if (!answer) {
          return;
        }
        const decision = await ask(
          api.POST('/models/{name}/rollback', {
            params: { path: { name }, query: { path: workbench.path } },
            body: { alias, reason: answer.text }
          })
        );
        workbench.tell('models');
        Notification.success(
          trans.__('%1 of %2 is version %3 again.', alias, name, decision.version),
          { autoClose: READING_TIME }
        );
      })
  });
}

async function runGate(context: IContext, args: IVersionArgs): Promise<void> {
  const { trans } = context;
  const task = await ask(
    api.POST('/models/{name}/versions/{version}/gate', {
      params: paramsOf(context, args),
      body: { factory: '' }
    })
  );
  followTask(context, task, trans.__('Gate of %1 v%2', args.model, args.version));
}

async function reproduce(context: IContext, args: IVersionArgs): Promise<void> {
  const { trans } = context;
  const answer = await askForReason(trans, {
    title: trans.__('Reproduce %1 version %2?', args.model, args.version),
    text: trans.__(
      'Its notebook runs again on the recorded code, data and parameters, and what comes out is compared. It may take many minutes, and changes nothing. The recorded packages are installed first; the packages that are here make it quicker.'
    ),
    buttons: [
      { label: trans.__('With the packages here') },
      { label: trans.__('With the recorded packages') }
    ]
  });
  if (!answer) {
    return;
  }
  const task = await ask(
    api.POST('/models/{name}/versions/{version}/reproductions', {
      params: paramsOf(context, args),
      body: { same_env: answer.button === 0 }
    })
  );
  followTask(context, task, trans.__('%1 v%2 made again', args.model, args.version));
}

/** Do something, and say it if it is refused. */
async function saying(act: () => Promise<void> | void): Promise<void> {
  try {
    await act();
  } catch (error) {
    sayFailure(error);
  }
}
