-- Materials of a case that is being destroyed.

-- name: of_case
SELECT mine.sha256, EXISTS (
    SELECT FROM ledger.case_material AS other
    WHERE other.sha256 = mine.sha256 AND other.case_id <> $1
      AND NOT EXISTS (
          SELECT FROM ledger.entry AS e WHERE e.case_id = other.case_id AND e.kind = 'case_destroyed'
      )
) AS is_shared
FROM ledger.case_material AS mine
WHERE mine.case_id = $1
ORDER BY mine.sha256
