/**
 * nbdime's renderer. It is large, so this module is loaded when a notebook is first compared.
 */
import { IEditorServices } from '@jupyterlab/codeeditor';
import type { INotebookContent } from '@jupyterlab/nbformat';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import type { IDiffEntry } from 'nbdime/lib/diff/diffentries';
import { NotebookDiffModel } from 'nbdime/lib/diff/model';
import { NotebookDiffWidget } from 'nbdime/lib/diff/widget';
import 'nbdime/lib/styles/variables.css';
import 'nbdime/lib/styles/common.css';
import 'nbdime/lib/styles/diff.css';

import { IFileDiff } from '../../../api/types';

/** What of Lab's draws cells. */
export interface IRenderers {
  readonly rendermime: IRenderMimeRegistry;
  readonly editors: IEditorServices | null;
}

/** Draw how a notebook differs; the widget is the caller's to dispose. */
export async function drawNotebook(
  told: IFileDiff,
  renderers: IRenderers,
  host: HTMLElement
): Promise<Widget> {
  const model = new NotebookDiffModel(
    told.base as unknown as INotebookContent,
    told.steps as unknown as IDiffEntry[]
  );
  const widget = new NotebookDiffWidget({
    model,
    rendermime: renderers.rendermime,
    editorFactory: renderers.editors?.factoryService.newInlineEditor
  });
  Widget.attach(widget, host);
  await widget.init();
  return widget;
}
