@echo off
rem One night of one manifest, for the Windows Task Scheduler: new rows, then new attempts for rows
rem that failed. Copy it into the folder that holds config.yaml, manifests and outputs.
rem Set the key once: setx TOAPIS_API_KEY your-key
rem If Windows does not find the program, set REELSHEET to the path of reelsheet.exe below.
cd /d "%~dp0"
if "%REELSHEET%"=="" set REELSHEET=reelsheet
set MANIFEST=manifests\products.xlsx
if not "%~1"=="" set MANIFEST=%~1

"%REELSHEET%" run "%MANIFEST%" --quiet >>nightly.log 2>&1
set CODE=%ERRORLEVEL%
rem 1: rows ended badly. 3: rows in doubt. 5: unfinished. Try each of them once more.
if %CODE%==1 goto again
if %CODE%==3 goto again
if %CODE%==5 goto again
exit /b %CODE%

:again
"%REELSHEET%" run "%MANIFEST%" --retry failed,expired --quiet >>nightly.log 2>&1
exit /b %ERRORLEVEL%
