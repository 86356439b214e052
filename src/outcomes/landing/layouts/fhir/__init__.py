"""FHIR: answered questionnaires (QuestionnaireResponse) as JSON, Bundle or NDJSON."""
