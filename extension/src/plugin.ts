/**
 * How a panel becomes a plugin of JupyterLab: it stands in the sidebar, can be opened in the main
 * area, is in the command palette, and can be hidden in the settings.
 */
import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import {
  ITranslator,
  nullTranslator,
  TranslationBundle
} from '@jupyterlab/translation';
import { LabIcon } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';

import { Panel } from './panel';
import { ISidebar } from './sidebar';
import { standing } from './ui/standing';
import { IWorkbench, Workbench } from './workbench';

/** The name of our catalogues of translations. */
export const DOMAIN = 'jupyter_workbench';

export const NO_ARGS = { args: { type: 'object', properties: {} } } as const;

/** What a panel is given. */
export interface IContext {
  readonly app: JupyterFrontEnd;
  readonly commands: CommandRegistry;
  readonly workbench: Workbench;
  readonly trans: TranslationBundle;
}

export interface IPanelPlugin {
  /** A word: `runs`. The plugin is `jupyter-workbench:runs`, its settings `schema/runs.json`. */
  readonly id: string;
  /** For developers, in English. */
  readonly description: string;
  /** Where it stands in the sidebar: the lower, the higher. */
  readonly rank: number;
  readonly icon: LabIcon;
  readonly title: (trans: TranslationBundle) => string;
  readonly caption: (trans: TranslationBundle) => string;
  readonly make: (context: IContext) => Panel;
  /** Add the panel's own commands, once. */
  readonly commands?: (context: IContext) => void;
}

/** Make the plugin of a panel. */
export function panelPlugin(spec: IPanelPlugin): JupyterFrontEndPlugin<void> {
  const id = `jupyter-workbench:${spec.id}`;
  return {
    id,
    description: spec.description,
    autoStart: true,
    requires: [IWorkbench, ISidebar],
    optional: [ICommandPalette, ISettingRegistry, ITranslator],
    activate: (
      app: JupyterFrontEnd,
      workbench: Workbench,
      sidebar: ISidebar,
      palette: ICommandPalette | null,
      settings: ISettingRegistry | null,
      translator: ITranslator | null
    ) => {
      const trans = (translator ?? nullTranslator).load(DOMAIN);
      const context = { app, commands: app.commands, workbench, trans };
      const make = (): Panel => titled(spec, context);
      spec.commands?.(context);
      sidebar.add(spec.id, make(), spec.rank);
      addCommands(spec, context, make, sidebar, palette);
      void settings?.load(id).then(loaded => {
        const update = (): void =>
          sidebar.setVisible(spec.id, loaded.get('visible').composite !== false);
        loaded.changed.connect(update);
        update();
      });
    }
  };
}

function titled(spec: IPanelPlugin, context: IContext): Panel {
  const panel = spec.make(context);
  panel.title.label = spec.title(context.trans);
  panel.title.caption = spec.caption(context.trans);
  panel.title.icon = spec.icon;
  panel.below = standing(context.workbench, context.trans);
  panel.node.setAttribute('role', 'region');
  panel.node.setAttribute('aria-label', panel.title.label);
  return panel;
}

function addCommands(
  spec: IPanelPlugin,
  context: IContext,
  make: () => Panel,
  sidebar: ISidebar,
  palette: ICommandPalette | null
): void {
  const { app, commands, trans } = context;
  const title = spec.title(trans);
  const [show, open] = [`workbench:show-${spec.id}`, `workbench:open-${spec.id}`];
  commands.addCommand(show, {
    label: trans.__('Show %1 in the Sidebar', title),
    caption: spec.caption(trans),
    icon: spec.icon,
    describedBy: NO_ARGS,
    execute: async () => {
      await commands.execute('workbench:open');
      sidebar.openPanel(spec.id);
    }
  });
  commands.addCommand(open, {
    label: trans.__('Open %1 in the Main Area', title),
    caption: spec.caption(trans),
    icon: spec.icon,
    describedBy: NO_ARGS,
    execute: async () => {
      const widgetId = `jupyter-workbench-${spec.id}`;
      const before = [...app.shell.widgets('main')].find(one => one.id === widgetId);
      if (!before) {
        const content = make();
        const widget = new MainAreaWidget({ content });
        content.node.setAttribute('aria-label', content.title.label); // it took the name away
        widget.id = widgetId;
        widget.title.closable = true;
        widget.toolbar.hide(); // it would be an empty stripe
        app.shell.add(widget, 'main');
        await context.workbench.arrive();
      }
      app.shell.activateById(widgetId);
    }
  });
  [show, open].forEach(command =>
    palette?.addItem({ command, category: trans.__('Workbench') })
  );
}
