/**
 * What of an open notebook is the user's, and what Lab writes into it by itself.
 */
import { DocumentRegistry } from '@jupyterlab/docregistry';
import type { INotebookContent } from '@jupyterlab/nbformat';
import type { INotebookModel } from '@jupyterlab/notebook';
import { PartialJSONValue } from '@lumino/coreutils';

export function isNotebook(model: DocumentRegistry.IModel): model is INotebookModel {
  return 'cells' in model;
}

/** A notebook without what Lab makes of its kernel, and without its trust. */
export function substance(notebook: PartialJSONValue): PartialJSONValue {
  const { cells, metadata } = notebook as unknown as INotebookContent;
  const { kernelspec, language_info: _, ...rest } = metadata;
  return {
    metadata: { ...rest, kernel: kernelspec?.name ?? '' },
    cells: cells.map(cell => {
      const { trusted: __, ...own } = cell.metadata;
      return { ...cell, metadata: own };
    })
  } as unknown as PartialJSONValue;
}

/** Read a notebook again. It keeps its language, and so its colours, if the file says none. */
export async function revertNotebook(
  context: DocumentRegistry.IContext<DocumentRegistry.IModel>
): Promise<void> {
  const model = context.model as INotebookModel;
  const before = model.getMetadata('language_info');
  await context.revert();
  if (before?.name && !model.getMetadata('language_info')?.name) {
    model.setMetadata('language_info', before);
  }
}
