"""The policy as rules of CLIPS, through clipspy: one seller after the other, one complaint at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import clips

from benchmarks.tally import Tally

from .handwritten import MERGE_WINDOW, STRIKES_FROM, Complaint, Conclusion
from .handwritten import load as load_all
from .handwritten import tally as tally_all

CONSTRUCTS = f"""
(deftemplate act
  (slot complaint) (slot complainant) (slot right) (slot confirmed) (slot base (type INTEGER)) (slot at (type INTEGER)))
(deftemplate key (slot complainant) (slot right) (slot strikes (default 0)) (slot newest))
(deftemplate account
  (slot violations (default 0)) (slot newest) (slot merging (default 0)) (slot merged (default 0))
  (slot total (default 0)))
(deftemplate violation (slot complaint) (slot complainant) (slot right) (slot confirmed) (slot at))
(deftemplate strike (slot complaint) (slot complainant) (slot right) (slot confirmed) (slot at))
(deftemplate points (slot complaint) (slot complainant) (slot right) (slot amount) (slot at))
(deftemplate charged (slot complaint))
(deftemplate closure (slot at))

(deffacts start (account))

(deffunction amount (?strike ?strikes ?opens ?nth ?confirmed ?base ?room)
  (if (and ?strike (>= ?strikes 3)) then (return 48))
  (if (>= ?nth 3) then (if ?opens then (return 24) else (return 0)))
  (if (eq ?confirmed yes) then (return ?base))
  (min ?base ?room))

(defrule first-of-key (declare (salience 50))
  (act (complainant ?p) (right ?r))
  (not (key (complainant ?p) (right ?r)))
  =>
  (assert (key (complainant ?p) (right ?r))))

(defrule strike-confirmed (declare (salience 40))
  (act (complaint ?c) (complainant ?p) (right ?r) (confirmed yes) (at ?t&:(>= ?t {STRIKES_FROM})))
  ?key <- (key (complainant ?p) (right ?r) (strikes ?n))
  (not (strike (complaint ?c)))
  =>
  (assert (strike (complaint ?c) (complainant ?p) (right ?r) (confirmed yes) (at ?t)))
  (modify ?key (strikes (+ ?n 1)) (newest ?c)))

(defrule strike-information (declare (salience 40))
  (act (complaint ?c) (complainant ?p) (right ?r) (confirmed no) (at ?t&:(>= ?t {STRIKES_FROM})))
  ?key <- (key (complainant ?p) (right ?r) (strikes ?n))
  (not (strike (complainant ?p) (right ?r) (confirmed no) (at ?s&:(> ?s (- ?t {MERGE_WINDOW})))))
  =>
  (assert (strike (complaint ?c) (complainant ?p) (right ?r) (confirmed no) (at ?t)))
  (modify ?key (strikes (+ ?n 1)) (newest ?c)))

(defrule violation-confirmed (declare (salience 30))
  (act (complaint ?c) (complainant ?p) (right ?r) (confirmed yes) (at ?t))
  ?account <- (account (violations ?n))
  (not (violation (complaint ?c)))
  =>
  (assert (violation (complaint ?c) (complainant ?p) (right ?r) (confirmed yes) (at ?t)))
  (modify ?account (violations (+ ?n 1)) (newest ?c)))

(defrule violation-information (declare (salience 30))
  (act (complaint ?c) (complainant ?p) (right ?r) (confirmed no) (at ?t))
  ?account <- (account (violations ?n))
  (not (violation (confirmed no) (at ?s&:(> ?s (- ?t {MERGE_WINDOW})))))
  =>
  (assert (violation (complaint ?c) (complainant ?p) (right ?r) (confirmed no) (at ?t)))
  (modify ?account (violations (+ ?n 1)) (newest ?c) (merging (+ ?n 1)) (merged 0)))

(defrule points (declare (salience 20))
  (act (complaint ?c) (complainant ?p) (right ?r) (confirmed ?f) (base ?base) (at ?t))
  (key (complainant ?p) (right ?r) (strikes ?n) (newest ?last))
  ?account <- (account (violations ?v) (newest ?opener) (merging ?m) (merged ?merged) (total ?total))
  (not (charged (complaint ?c)))
  =>
  (assert (charged (complaint ?c)))
  (bind ?nth (if (eq ?f yes) then ?v else ?m))
  (bind ?amount (amount (eq ?last ?c) ?n (eq ?opener ?c) ?nth ?f ?base (- 12 ?merged)))
  (if (> ?amount 0) then
    (assert (points (complaint ?c) (complainant ?p) (right ?r) (amount ?amount) (at ?t)))
    (modify ?account (total (+ ?total ?amount)) (merged (if (eq ?f yes) then ?merged else (+ ?merged ?amount))))))

(defrule three-strikes (declare (salience 10))
  (act (complaint ?c) (complainant ?p) (right ?r) (at ?t))
  (key (complainant ?p) (right ?r) (strikes ?n&:(>= ?n 3)) (newest ?c))
  (not (closure))
  =>
  (assert (closure (at ?t))))

(defrule enough-points (declare (salience 10))
  (act (at ?t))
  (account (total ?total&:(>= ?total 48)))
  (not (closure))
  =>
  (assert (closure (at ?t))))

(defrule done (declare (salience 0))
  ?act <- (act)
  =>
  (retract ?act))
"""


def load(path: Path) -> list[Complaint]:
    return load_all(path)


def decide(complaints: Sequence[Complaint]) -> list[Conclusion]:
    environment = clips.Environment()
    for construct in CONSTRUCTS.strip().split("\n\n"):
        for part in construct.split("\n(deftemplate"):
            environment.build(part if part.startswith("(") else "(deftemplate" + part)
    by_seller: dict[str, list[Complaint]] = defaultdict(list)
    undone: dict[tuple[str, str], int] = {}
    for act in complaints:
        if act.kind != "upheld":
            undone[act.seller, act.complaint] = max(act.at, undone.get((act.seller, act.complaint), act.at))
        elif act.finding == "counterfeit" and not act.special:
            by_seller[act.seller].append(act)
    template = environment.find_template("act")
    yes, no = clips.Symbol("yes"), clips.Symbol("no")
    found: list[Conclusion] = []
    for seller in sorted(by_seller):
        environment.reset()
        closed = False
        for act in sorted(by_seller[seller], key=lambda act: (act.at, act.complaint)):
            if closed:
                break
            if undone.get((seller, act.complaint), act.at - 1) >= act.at:
                continue
            template.assert_fact(
                complaint=act.complaint,
                complainant=act.complainant,
                right=act.right,
                confirmed=yes if act.confirmed else no,
                base=act.base,
                at=act.at,
            )
            environment.run()
            closed = any(True for _ in environment.find_template("closure").facts())
        for fact in environment.facts():
            kind = fact.template.name
            if kind == "closure":
                found.append(Conclusion(seller, kind, fact["at"], "", "", "", 0))
            elif kind in ("violation", "strike", "points"):
                amount = fact["amount"] if kind == "points" else 0
                found.append(
                    Conclusion(seller, kind, fact["at"], fact["complaint"], fact["complainant"], fact["right"], amount)
                )
    return found


def tally(conclusions: list[Conclusion]) -> Tally:
    return tally_all(conclusions)
