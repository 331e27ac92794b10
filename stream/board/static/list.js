// All queues as a table: what a screen reader walks best, and most queues at a glance.

import { $ } from "./dom.js";
import { leading, panelOf } from "./feed.js";
import { drawTable, tickTable } from "./table.js";

const table = $("list").firstElementChild;

export const pageSize = () => 100;
export const draw = (rows) => drawTable(table, leading(), panelOf(), rows);
export const tick = (rows) => tickTable(table, panelOf(), rows);
