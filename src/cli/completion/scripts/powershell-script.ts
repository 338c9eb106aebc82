import { COMPLETE } from "./complete-word.ts";

/** For PowerShell 5.1 and later. It drops empty arguments, so an empty word at the end is not sent. */
export const POWERSHELL: string = `# PowerShell completion for imgpack
Register-ArgumentCompleter -Native -CommandName 'imgpack', 'imgpack.exe' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $elements = @($commandAst.CommandElements)
    $words = @()
    $at = -1
    $current = ''
    foreach ($element in @($elements | Select-Object -Skip 1)) {
        $word = $element.Extent.Text
        if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $word = $element.Value }
        if ($at -lt 0 -and $cursorPosition -le $element.Extent.EndOffset) {
            $at = $words.Count
            if ($cursorPosition -le $element.Extent.StartOffset) { $words += '' } else { $word = $wordToComplete.Trim('"', "'") }
            $current = if ($words.Count -gt $at) { '' } else { $word }
        }
        $words += $word
    }
    if ($at -lt 0) { $at = $words.Count }

    $program = $elements[0].Extent.Text
    if ($elements[0] -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $program = $elements[0].Value }
    if ($program -notmatch '[\\\\/]') { $program = 'imgpack' }
    $lastExitCode = $global:LASTEXITCODE
    $answer = @(try { & $program ${COMPLETE} $at @words 2>$null } catch { })
    $global:LASTEXITCODE = $lastExitCode
    if ($answer.Count -eq 0) { return }
    $head = $answer[0].Split("\`t")

    foreach ($line in @($answer | Select-Object -Skip 1)) {
        $value, $text = $line.Split("\`t")
        if (-not $value.StartsWith($current, [StringComparison]::Ordinal)) { continue }
        if (-not $text) { $text = $value }
        $written = if ($value -match '^[\\w./:=+-]+$') { $value } else { "'" + $value + "'" }
        [System.Management.Automation.CompletionResult]::new($written, $value, 'ParameterValue', $text)
    }

    if ($head[0] -eq 'none') { return }
    $path = $current.Substring([Math]::Min($head[2].Length, $current.Length))
    $files = @([System.Management.Automation.CompletionCompleters]::CompleteFilename($path))
    if ($head[0] -eq 'folders') {
        $files = @($files | Where-Object { $_.ResultType -eq 'ProviderContainer' })
    } elseif ($head[1] -ne '*') {
        $endings = $head[1].Split(' ')
        $isFitting = { $name = $_.ListItemText; @($endings | Where-Object { $name.EndsWith($_) }).Count -gt 0 }
        $fitting = @($files | Where-Object $isFitting)
        $folders = @($files | Where-Object { $_.ResultType -eq 'ProviderContainer' })
        $files = @($fitting) + @($folders) + @($files | Where-Object { $_ -notin $fitting -and $_ -notin $folders })
    }
    foreach ($file in $files) {
        $written = $head[2] + $file.CompletionText
        [System.Management.Automation.CompletionResult]::new($written, $file.ListItemText, $file.ResultType, $file.ToolTip)
    }
}
`;
