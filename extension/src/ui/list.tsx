/**
 * A list of any length, of which only the rows that can be seen are in the page.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { measureElement, useVirtualizer } from '@tanstack/react-virtual';
import React, { KeyboardEvent, ReactNode, useEffect, useRef } from 'react';

import { Pages, usePages } from '../api/pages';
import { Failure, Loading } from './parts';

/** How many rows above and below the visible ones are kept, and how near the end more is read. */
const BESIDE = 10;

export interface IListProps<T> {
  readonly pages: Pages<T>;
  readonly trans: TranslationBundle;
  /** What the list is, for those who hear it. */
  readonly label: string;
  readonly keyOf: (item: T) => string;
  /** About how high a row is, in pixels; it is measured when it is there. */
  readonly height: number;
  /** What is shown instead of no rows. */
  readonly empty: ReactNode;
  /** What stays above the rows in every state. */
  readonly tools?: ReactNode;
  /** What the list is of: one of something else begins at its top. */
  readonly about?: unknown;
  readonly children: (item: T, index: number) => ReactNode;
}

/** A scrolling list in each of its states; the next page is read when its end comes near. */
export function List<T>(props: IListProps<T>): JSX.Element {
  const { pages, trans } = props;
  const { items, hasMore, isLoading, error } = usePages(pages);
  return (
    <div className="jp-Workbench-shown" aria-busy={isLoading}>
      {props.tools}
      {error && <Failure error={error} retry={() => pages.load()} trans={trans} />}
      {items.length ? (
        <Rows {...props} items={items} hasMore={hasMore === true} />
      ) : hasMore === null ? (
        !error && <Loading trans={trans} />
      ) : (
        props.empty
      )}
    </div>
  );
}

function Rows<T>(
  props: IListProps<T> & { readonly items: readonly T[]; readonly hasMore: boolean }
): JSX.Element {
  const { items, hasMore, pages, label, keyOf, height, about, children } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    getItemKey: index => keyOf(items[index]),
    overscan: BESIDE,
    // A row of a folded panel has no height: it keeps the one it had, or the list would be
    // scrolled somewhere else by the time it is unfolded.
    measureElement: (row, entry, list) =>
      measureElement(row, entry, list) ||
      (list.measurementsCache[list.indexFromElement(row)]?.size ?? height)
  });
  const shown = rows.getVirtualItems();
  const last = shown.length ? shown[shown.length - 1].index : 0;
  useEffect(() => {
    if (hasMore && last >= items.length - BESIDE) {
      void pages.more();
    }
  }, [hasMore, last, items.length, pages]);
  useEffect(() => void scroller.current?.scrollTo(0, 0), [about]);
  // The browser's own way there is smooth, and ends where rows turn out to be of another height.
  const jump = (event: KeyboardEvent<HTMLElement>): void => {
    if (event.target === event.currentTarget && /^(Home|End)$/.test(event.key)) {
      event.preventDefault();
      rows.scrollToIndex(event.key === 'Home' ? 0 : items.length - 1);
    }
  };
  return (
    <div ref={scroller} className="jp-Workbench-scroller" tabIndex={0} onKeyDown={jump}>
      <ul
        aria-label={label}
        className="jp-Workbench-rows"
        style={{ height: rows.getTotalSize() }}
      >
        {shown.map(row => (
          <li
            key={row.key}
            ref={rows.measureElement}
            data-index={row.index}
            aria-setsize={hasMore ? -1 : items.length}
            aria-posinset={row.index + 1}
            style={{ transform: `translateY(${row.start}px)` }}
          >
            {children(items[row.index], row.index)}
          </li>
        ))}
      </ul>
    </div>
  );
}
