/**
 * The column report of a source, in the main area.
 */
import { IFrame, MainAreaWidget } from '@jupyterlab/apputils';
import { tableRowsIcon } from '@jupyterlab/ui-components';

import { IReport } from '../../api/types';

const THEME = 'data-jp-theme-light';

/** Show a report. Its frame may do nothing: there are markup and style in it alone. */
export function reportWidget(report: IReport, title: string): MainAreaWidget {
  const content = new IFrame({ sandbox: [] });
  const frame = content.node.querySelector('iframe')!;
  frame.title = title;
  const draw = (): void => {
    const isLight = document.body.getAttribute(THEME) !== 'false';
    frame.srcdoc = `<!doctype html><body class="wb-page" ${THEME}="${isLight}">${report.html}`;
  };
  const theme = new MutationObserver(draw);
  theme.observe(document.body, { attributeFilter: [THEME] });
  draw();
  const widget = new MainAreaWidget({ content });
  widget.disposed.connect(() => theme.disconnect());
  widget.id = `jupyter-workbench-report-${report.name}`;
  widget.title.label = title;
  widget.title.icon = tableRowsIcon;
  widget.title.closable = true;
  return widget;
}
