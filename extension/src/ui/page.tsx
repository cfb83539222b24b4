/**
 * Something drawn by the server, in the main area: markup in a frame in which nothing may run.
 */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import { TranslationBundle } from '@jupyterlab/translation';
import { LabIcon, ReactWidget } from '@jupyterlab/ui-components';
import React, { ReactNode, useEffect, useMemo, useSyncExternalStore } from 'react';

import { Resource } from '../api/resource';
import { Shown } from './parts';

const THEME = 'data-jp-theme-light';

/** Nothing is fetched, and no script runs: what is drawn has its style and pictures in it. */
export const POLICY =
  "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:";

const STYLE =
  'body{margin:0;font:13px/1.45 system-ui,sans-serif;background:#fff;color:#1f2430}' +
  `[${THEME}=false]{background:#111;color:#e4e6eb}` +
  `[${THEME}=false]:has(.wb-report){background:#16181d}` +
  `[${THEME}=false]:has(.wb-lineage){background:#0d1117}` +
  '.wb-picture{margin:0;padding:24px 24px 0}' +
  '.wb-picture img{max-width:100%;border-radius:4px}' +
  '.wb-scroll{overflow-x:auto}.wb-scroll svg{max-width:none}';

export type Shade = 'light' | 'dark';

export interface IPage {
  /** One widget of an id at a time. */
  readonly id: string;
  readonly title: string;
  readonly icon: LabIcon;
  readonly content: JSX.Element;
}

/** Open a page in the main area; the one of this id that was there before gives way to it. */
export function openPage(app: JupyterFrontEnd, page: IPage): void {
  const id = `jupyter-workbench-page-${page.id}`;
  [...app.shell.widgets('main')]
    .filter(each => each.id === id)
    .forEach(before => before.dispose());
  const content = ReactWidget.create(page.content);
  content.addClass('jp-Workbench');
  content.addClass('jp-Workbench-page');
  const widget = new MainAreaWidget({ content });
  widget.id = id;
  widget.title.label = page.title;
  widget.title.icon = page.icon;
  widget.title.closable = true;
  app.shell.add(widget, 'main');
  app.shell.activateById(id);
}

/** Which of the two colours JupyterLab is in. */
export function useShade(): Shade {
  return useSyncExternalStore(
    listener => {
      const observer = new MutationObserver(listener);
      observer.observe(document.body, { attributeFilter: [THEME] });
      return () => observer.disconnect();
    },
    () => (document.body.getAttribute(THEME) === 'false' ? 'dark' : 'light')
  );
}

/** A frame that shows markup in JupyterLab's colours. */
export function Frame(props: {
  readonly title: string;
  readonly html: string;
}): JSX.Element {
  const isLight = useShade() === 'light';
  const head =
    `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}">` +
    `<style>:root{color-scheme:${isLight ? 'light' : 'dark'}}${STYLE}</style>`;
  const body = `<body class="wb-page jp-Notebook" ${THEME}="${isLight}">`;
  return (
    <iframe
      className="jp-Workbench-frame"
      title={props.title}
      sandbox=""
      srcDoc={head + body + props.html}
    />
  );
}

/** What the server draws, on its way, here, or refused. */
export function Drawn<T extends { readonly html: string }>(props: {
  readonly title: string;
  /** Asked again when it is another function. */
  readonly read: (shade: Shade, signal: AbortSignal) => Promise<T>;
  /** Whether the server draws it in one of the colours; else it has both in it. */
  readonly hasShade?: boolean;
  readonly trans: TranslationBundle;
  readonly tools?: ReactNode;
  readonly beside?: (drawn: T) => ReactNode;
}): JSX.Element {
  const { title, read, trans, tools, beside } = props;
  const now = useShade();
  const shade = props.hasShade ? now : 'light';
  const drawn = useMemo(
    () => new Resource(signal => read(shade, signal)),
    [read, shade]
  );
  useEffect(() => {
    void drawn.load();
    return () => drawn.dispose();
  }, [drawn]);
  return (
    <Shown resource={drawn} trans={trans} tools={tools} whenEmpty={() => null}>
      {found => (
        <div className="jp-Workbench-drawn">
          <Frame title={title} html={found.html} />
          {beside?.(found)}
        </div>
      )}
    </Shown>
  );
}
