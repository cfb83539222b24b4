/**
 * Opening what shows how a model fares: a dashboard of Voila's, the notebook that judged a window.
 */
import { IFrame, MainAreaWidget } from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { inspectorIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { api, ask } from '../../api/client';
import { IContext } from '../../plugin';
import { Drawn, openPage, Shade } from '../../ui/page';

export namespace CommandIDs {
  export const openDashboard = 'workbench:open-dashboard';
  export const openWindow = 'workbench:open-window-notebook';
}

/** Add the commands of the panel Monitors. */
export function addMonitorCommands(context: IContext): void {
  const { commands, trans } = context;
  const text = (description: string) => ({ type: 'string', description });
  commands.addCommand(CommandIDs.openDashboard, {
    label: trans.__('Open a Dashboard'),
    caption: trans.__('Show a notebook as a page of Voila’s in the main area'),
    icon: inspectorIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          address: text(trans.__('Where it is, from the base address of the server')),
          name: text(trans.__('What it is called')),
          model: text(trans.__('The model to show first'))
        },
        required: ['address']
      }
    },
    execute: args =>
      openDashboard(
        context,
        String(args.address),
        String(args.name ?? trans.__('Dashboard')),
        args.model === undefined ? null : String(args.model)
      )
  });
  commands.addCommand(CommandIDs.openWindow, {
    label: trans.__('Open the Notebook of a Window'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          job: text(trans.__('The job that judged the window')),
          title: text(trans.__('What the tab is called'))
        },
        required: ['job']
      }
    },
    execute: args =>
      openWindow(context, String(args.job), String(args.title ?? args.job))
  });
}

/** It comes from this server and is code of the project's: it may run, as its notebook may. */
function openDashboard(
  { app, trans }: IContext,
  address: string,
  name: string,
  model: string | null
): void {
  const isLight = document.body.getAttribute('data-jp-theme-light') !== 'false';
  const id = `jupyter-workbench-dashboard-${address}-${model ?? ''}`;
  const before = [...app.shell.widgets('main')].find(one => one.id === id);
  if (!before) {
    const query = { theme: isLight ? 'light' : 'dark', ...(model ? { model } : {}) };
    const content = new IFrame({
      sandbox: [
        'allow-scripts',
        'allow-same-origin',
        'allow-forms',
        'allow-popups',
        'allow-downloads'
      ],
      loading: 'eager'
    });
    content.url =
      URLExt.join(PageConfig.getBaseUrl(), address) + URLExt.objectToQueryString(query);
    const widget = new MainAreaWidget({ content });
    widget.id = id;
    widget.title.label = model ? trans.__('Dashboard of %1', model) : name;
    widget.title.icon = inspectorIcon;
    widget.title.closable = true;
    content.node.querySelector('iframe')!.title = widget.title.label;
    app.shell.add(widget, 'main');
  }
  app.shell.activateById(id);
}

function openWindow(context: IContext, job: string, title: string): void {
  const { app, workbench, trans } = context;
  const read = (shade: Shade, signal: AbortSignal) =>
    ask(
      api.GET('/monitors/notebook', {
        params: { query: { path: workbench.path, job, shade } },
        signal
      })
    );
  openPage(app, {
    id: `window-${job}`,
    title,
    icon: inspectorIcon,
    content: <Drawn title={title} read={read} hasShade trans={trans} />
  });
}
